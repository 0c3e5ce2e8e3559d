@echo off
rem Sets the course up on this laptop from the folder that this file lies in; no network is used.
setlocal
for %%V in (3.13 3.12 3.11) do (
  py -%%V "%~dp0set_up.py" --fits >nul 2>nul && (
    py -%%V "%~dp0set_up.py" %*
    goto :end
  )
)
python "%~dp0set_up.py" %*
:end
if errorlevel 1 pause
