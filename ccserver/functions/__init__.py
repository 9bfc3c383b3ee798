"""Functions of the admin's own: the process in which they run (`worker`), and how it is asked (`asking`).

Their files lie beside the flows; the configuration carries their text, so that what runs is what was checked.
"""
