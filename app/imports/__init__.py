"""People who come in files.

Words: an import is one file on its way; its rows are staged with a verdict each (a dry run), committed, and can be
undone; a column is recognised by its header or by the mapping that came with the file.
Owns: imports, import_files, import_rows, reading spreadsheets, what a row says, the command `talentpool import`.
Does NOT own: who is who and what is written of a person (`intake`), consents, touchpoints, jobs.
"""
