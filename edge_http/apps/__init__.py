"""What a person sees of apps, and changes: `/list_apps`, the page of each app, and `/check`.

routes.py     the pages
reading.py    what they show: grants, sign-ins, and who asked
words.py      what an app may do and has done, in the words of people
saving.py     `/list_apps_save`: a change, and what it asks for
changing.py   what somebody has chosen, made into a slice
narrowing.py  whether a change lets an app do more
checking.py   `/check`: may an app do something, and what decides?
check_words.py  the same in the words of people
"""
