"""One folder on a stick that sets up a class without a network: ``ecomtutor bundle --out FOLDER``.

    FOLDER/READ_ME.txt, set_up.sh, set_up.bat, set_up.py     start here, on a laptop
    FOLDER/course.zip                                        the committed state of the clone
    FOLDER/wheels/, FOLDER/targets/*.txt                     packages, and which ones a laptop takes
    FOLDER/resources/                                        the packages of models and data
    FOLDER/slides/                                           the decks, where they were built
    FOLDER/bundle.json, FOLDER/SHA256SUMS                    what it is for; written last of all

A bundle without ``SHA256SUMS`` is unfinished, and its set-up refuses it.
"""
