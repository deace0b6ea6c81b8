"""Record your app: the switch, the line of code to change, and what was recorded."""

from lib.ui import setup
from lib.ui.record import code, recorded, switch

page = setup("record")
switch.draw()
code.draw()
if page.error is None:
    recorded.draw()
