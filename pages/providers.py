"""Models and endpoints: the servers that can answer, their keys, and what a test of each says."""

from lib.ui import setup
from lib.ui.providers import add_form, endpoint_list, found

page = setup("providers")
found.draw()
add_form.draw()
endpoint_list.draw()
