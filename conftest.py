pytest_plugins = ["ecomtutor.authoring.comparison", "pytester"]
