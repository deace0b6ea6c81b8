"""An example conversation for people who have none yet: planning a trip, with early facts that are needed later.

It was written for this purpose and is too long for a window of 1,024 tokens.
"""

from __future__ import annotations

from lib.messages import Message, assistant, user

_EXCHANGES = (
    (
        "My name is Marta. I live in Graz, and I want to plan a trip to Porto for two people.",
        (
            "Lovely to meet you, Marta. Porto is a fine choice: hills, tiles, the river and very good food. When would"
            " you like to go, and for how long?"
        ),
    ),
    (
        "We fly on 14 May and stay six nights. Our budget is 1850 euros in all, views included.",
        (
            "Six nights from 14 May, 1,850 euros for two. Flights from Graz usually go through Munich or Vienna; if you"
            " book early, count on about 420 euros for both of you. That leaves roughly 1,400 for the room, food and"
            " tickets, which is comfortable."
        ),
    ),
    (
        "My sister Inés comes along. She is allergic to peanuts, so please keep that in mind for restaurants.",
        (
            "Noted: Inés is allergic to peanuts. Portuguese cooking rarely uses them, but desserts with nuts are"
            " common, and many kitchens share their oil. I will suggest places that answer questions about it gladly."
        ),
    ),
    (
        "What part of town should we stay in?",
        (
            "Ribeira is the postcard, loud until late. Cedofeita is calmer, with small shops and cafés, fifteen minutes"
            " on foot from the river. Bonfim is where many people of your age go: quiet streets, two good bakeries on"
            " every corner, and the metro to the airport. For six nights I would look at Bonfim or Cedofeita, on a"
            " slope that faces south."
        ),
    ),
    (
        "Bonfim sounds right. The booking code of our room is BX-4471, we took it yesterday.",
        (
            "Good, BX-4471 in Bonfim. Ask them for a room to the courtyard: the tram line in front begins at half past"
            " five."
        ),
    ),
    (
        "Can you sketch the first two days for us?",
        (
            "Day one: arrive, leave the bags, and walk down through the Fontainhas gardens to the bridge. Cross on the"
            " upper level for the view and come back along the river. Early supper near the market hall. Day two: the"
            " Soares dos Reis museum in the morning, lunch in Cedofeita, and then the Crystal Palace gardens with the"
            " peacocks; if your legs allow it, the romantic museum behind them. In the evening, fado in a small room:"
            " reserve, they hold thirty people."
        ),
    ),
    (
        "And a rainy day?",
        (
            "Begin at the bookshop before ten, when the queue is short. Then the stock exchange palace with its Arabian"
            " room: the tour takes forty minutes. Lunch in the covered market, an hour among the fish stalls, and the"
            " tram museum in the afternoon, which is larger than it looks. Keep the port cellars for the late"
            " afternoon, since they are cool, dry and underground whatever the weather does."
        ),
    ),
    (
        "We would also like one day out of town.",
        (
            "Three ideas. The train up the Douro to Pinhão: two and a half hours each way along the water, sit on the"
            " right going up. Or Guimarães, a medieval town, an hour by suburban train, easy and cheap. Or the coast:"
            " the tram to Foz, then on foot to Matosinhos for grilled fish. If you want the one that people talk about"
            " for years, it is the Douro line; take the early train and a picnic."
        ),
    ),
    (
        "The Douro line, then. How early is early?",
        (
            "There is a train shortly after nine from Campanhã, which is two metro stops from Bonfim. Be there twenty"
            " minutes before, buy the return, and take a seat on the right. You would be in Pinhão before noon, have"
            " four hours, and be back for a late supper."
        ),
    ),
    (
        "What should we pack for the weather in May?",
        (
            "Layers. Mornings are about twelve degrees and afternoons reach twenty-one; a shower can come off the sea"
            " within minutes. One light rain jacket each, shoes with grip for the granite, a scarf for the evening at"
            " the river, and sun cream, because the breeze hides how strong the sun already is. Leave the umbrella at"
            " home: the wind between the houses turns it inside out."
        ),
    ),
    (
        "Could you estimate what we will spend on food?",
        (
            "A coffee and a pastry is about three euros each, a lunch menu between nine and twelve, supper with wine"
            " around twenty-two. For two people and six days that is roughly 430 euros if you eat out twice a day, and"
            " closer to 330 if you have breakfast in the room. Fado evenings with supper are more, about forty-five"
            " euros each."
        ),
    ),
    (
        "Please put everything that we must not forget into one list.",
        (
            "Gladly. To write the list I need what you told me at the beginning: the dates, the budget, the allergy and"
            " the booking code."
        ),
    ),
)
EXAMPLE: tuple[Message, ...] = tuple(
    message for asked, reply in _EXCHANGES for message in (user(asked), assistant(reply))
)
"""24 messages; the first is the user's."""
