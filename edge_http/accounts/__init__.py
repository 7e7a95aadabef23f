"""The pages of accounts: to sign up and in, to see and change one's account, to look after those of others.

reception.py       what all of them work with
mistakes.py        a form that is shown again, with what was wrong
signing_up.py      /sign-up
entering.py        /sign-in, recovery codes, links to come back by
own_account.py     /account, as it is shown
changing.py        /account/…, what changes it
administering.py   /admin
password_grant.py  /access_token, for old clients of OAuth 2
"""
