"""The receiving end of request bins: `app` takes requests at /bin/<address>/, `writer` stores them in groups.

May use delivery's models. The pages that show a bin are in delivery/pages.
"""
