"""Grade the notebooks of a class: `ecomtutor grade FOLDER --out grades.csv`.

grade         grade_folder: read, judge in parallel, write, resume
submissions   the files and the answer cells in them
server        inside the sandbox: one lesson prepared, answers judged as they come
apart         the judge: the check here, the answer in a process of its own
values        plain data between the two, never code
confine       what the answer's process may do: limits, system call filter
box           bubblewrap around it all
table         grades.csv
nbgrader      the same class for nbgrader
"""
