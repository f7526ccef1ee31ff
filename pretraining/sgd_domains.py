# ruff: noqa: E501 - tables of phrases read better with long lines
"""Words for every service, intent and slot of SGD: how a summary says what is wanted, offered, booked and told.

Template marks: `{slot}` is a value with its preposition (`on March 5th`, `for 2 people`), `{slot_}` the bare value;
`[ ... ]` is left out where a slot inside is unknown, `[ ...|else]` falls back to `else`; `a~` becomes a or an;
`<wants>` is a verb that follows the summary's tense. `{u}` and `{s}` are user and system, `{his}` the user's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SERVICES: dict[str, str] = {
    "Banks_1": "bank", "Buses_1": "bus", "Buses_2": "bus", "Calendar_1": "calendar", "Events_1": "event",
    "Events_2": "event", "Flights_1": "flight", "Flights_2": "flight", "Homes_1": "home", "Hotels_1": "hotel",
    "Hotels_2": "house", "Hotels_3": "hotel", "Media_1": "media", "Movies_1": "movie", "Music_1": "music",
    "Music_2": "music", "RentalCars_1": "car", "RentalCars_2": "car", "Restaurants_1": "restaurant",
    "RideSharing_1": "ride", "RideSharing_2": "ride", "Services_1": "salon", "Services_2": "dentist",
    "Services_3": "doctor", "Travel_1": "attraction", "Weather_1": "weather",
    # in the dev split only, for validation; its other new services are left out
    "Restaurants_2": "restaurant", "Hotels_4": "hotel",
}  # fmt: skip

# one name for slots that mean the same; slots not named here keep their name
SLOTS: dict[str, dict[str, str]] = {
    "Banks_1": {"account_type": "account", "recipient_account_name": "recipient", "recipient_account_type": "to_account"},
    "Buses_1": {"leaving_time": "time", "leaving_date": "date", "from_location": "origin", "to_location": "destination",
                "travelers": "count", "fare": "price", "from_station": "origin_station", "to_station": "dest_station",
                "count": "found"},
    "Buses_2": {"departure_time": "time", "departure_date": "date", "group_size": "count", "fare_type": "class",
                "origin_station_name": "origin_station", "destination_station_name": "dest_station", "count": "found"},
    "Calendar_1": {"event_date": "date", "event_name": "name", "event_time": "time", "available_start_time": "start",
                   "available_end_time": "end", "event_location": "place", "count": "found"},
    "Events_1": {"city_of_event": "city", "event_name": "name", "number_of_seats": "count", "event_location": "venue",
                 "address_of_location": "address", "subcategory": "kind", "count": "found"},
    "Events_2": {"event_name": "name", "number_of_tickets": "count", "venue_address": "address", "category": "kind",
                 "event_type": "category", "count": "found"},
    "Flights_1": {"origin_city": "origin", "departure_date": "date", "destination_city": "destination",
                  "outbound_departure_time": "out_time", "inbound_departure_time": "in_time", "passengers": "count",
                  "seating_class": "class", "count": "found"},
    "Flights_2": {"departure_date": "date", "outbound_departure_time": "out_time", "fare": "price",
                  "inbound_departure_time": "in_time", "passengers": "count", "seating_class": "class", "count": "found"},
    "Homes_1": {"number_of_beds": "beds", "property_name": "name", "number_of_baths": "baths", "visit_date": "date",
                "phone_number": "phone", "pets_allowed": "pets", "count": "found"},
    "Hotels_1": {"hotel_name": "name", "number_of_days": "days", "check_in_date": "check_in", "star_rating": "stars",
                 "number_of_rooms": "rooms", "destination": "city", "has_wifi": "wifi", "price_per_night": "night_price",
                 "phone_number": "phone", "street_address": "address", "count": "found"},
    "Hotels_2": {"check_out_date": "check_out", "number_of_adults": "count", "check_in_date": "check_in",
                 "where_to": "city", "address": "name", "phone_number": "phone", "has_laundry_service": "laundry",
                 "total_price": "price", "count": "found"},
    "Hotels_3": {"hotel_name": "name", "check_out_date": "check_out", "check_in_date": "check_in",
                 "average_rating": "rating", "number_of_rooms": "rooms", "location": "city", "phone_number": "phone",
                 "street_address": "address", "pets_welcome": "pets", "count": "found"},
    "Media_1": {"title": "name", "directed_by": "director", "count": "found"},
    "Movies_1": {"movie_name": "name", "location": "city", "theater_name": "theater", "show_date": "date",
                 "show_time": "time", "show_type": "type", "street_address": "address", "count": "found",
                 "number_of_tickets": "count"},
    "Music_1": {"song_name": "name", "playback_device": "device", "count": "found"},
    "Music_2": {"song_name": "name", "playback_device": "device", "count": "found"},
    "RentalCars_1": {"pickup_date": "date", "pickup_time": "time", "dropoff_date": "dropoff", "pickup_location": "place",
                     "total_price": "price", "car_name": "name", "pickup_city": "city", "count": "found"},
    "RentalCars_2": {"pickup_date": "date", "pickup_time": "time", "dropoff_date": "dropoff", "pickup_location": "place",
                     "total_price": "price", "car_name": "name", "pickup_city": "city", "car_type": "type",
                     "count": "found"},
    "Restaurants_1": {"restaurant_name": "name", "party_size": "count", "price_range": "price",
                      "has_live_music": "live_music", "street_address": "address", "serves_alcohol": "alcohol",
                      "phone_number": "phone", "count": "found"},
    "RideSharing_1": {"number_of_riders": "count", "ride_fare": "price", "approximate_ride_duration": "duration"},
    "RideSharing_2": {"number_of_seats": "count", "ride_fare": "price", "ride_type": "type"},
    "Services_1": {"appointment_time": "time", "stylist_name": "name", "appointment_date": "date",
                   "street_address": "address", "phone_number": "phone", "average_rating": "rating",
                   "is_unisex": "unisex", "count": "found"},
    "Services_2": {"appointment_time": "time", "dentist_name": "name", "appointment_date": "date",
                   "phone_number": "phone", "offers_cosmetic_services": "cosmetic", "count": "found"},
    "Services_3": {"appointment_time": "time", "doctor_name": "name", "appointment_date": "date",
                   "street_address": "address", "average_rating": "rating", "phone_number": "phone", "count": "found"},
    "Travel_1": {"attraction_name": "name", "location": "city", "free_entry": "free", "good_for_kids": "kids",
                 "phone_number": "phone", "count": "found"},
    "Weather_1": {"precipitation": "rain", "count": "found"},
    "Restaurants_2": {"restaurant_name": "name", "number_of_seats": "count", "location": "city", "category": "cuisine",
                      "price_range": "price", "phone_number": "phone", "has_vegetarian_options": "vegetarian",
                      "has_seating_outdoors": "outdoors", "count": "found"},
    "Hotels_4": {"place_name": "name", "stay_length": "days", "check_in_date": "check_in", "star_rating": "stars",
                 "number_of_rooms": "rooms", "location": "city", "smoking_allowed": "smoking",
                 "price_per_night": "night_price", "phone_number": "phone", "street_address": "address",
                 "count": "found"},
}  # fmt: skip

DATES = {"date", "return_date", "check_in", "check_out", "dropoff"}
TIMES = {"time", "out_time", "in_time", "start", "end", "outbound_arrival_time", "inbound_arrival_time"}
# prepositions of other slots; dates, times and amounts have their own rules in `say`
BEFORE = {"city": "in", "origin": "from", "destination": "to", "area": "in", "recipient": "to", "venue": "at",
          "theater": "at", "artist": "by", "director": "directed by", "album": "from the album", "year": "from",
          "device": "on", "place": "at"}  # fmt: skip


@dataclass(frozen=True)
class Domain:
    """The words of one domain.

    goals: by intent, verb phrases that follow "wants to"; items: by intent, noun phrases that follow "looks for";
    offer: what the system suggests; booked: the thing that is arranged, and the verbs for arranging it;
    thing: its short name ("the reservation"); answer: what a lookup (balance, weather, show times) found.
    """

    goals: dict[str, tuple[str, ...]]
    title: str
    items: dict[str, tuple[str, ...]] = field(default_factory=dict)
    offer: tuple[str, ...] = ()
    booked: tuple[str, ...] = ()
    books: tuple[str, ...] = ("<books>",)
    thing: str = "the booking"
    answer: tuple[str, ...] = ()
    unit: str = "people"  # what `count` counts


FIND_PLACE = ("<suggests>", "<recommends>")
DOMAINS: dict[str, Domain] = {
    "bank": Domain(
        {
            "CheckBalance": ("check the balance of {his} [{account_} |]account", "know the balance of {his} [{account_} |]account",
                             "know how much money is in {his} [{account_} |]account"),
            "TransferMoney": ("transfer [{amount_}|money] [{recipient}][ from {his} {account_} account]",
                              "send [{amount_}|some money] [{recipient}]", "make a transfer[ of {amount_}][ {recipient}]"),
        },
        "banking",
        booked=("[{amount_}|the money] [{recipient}]", "[{amount_}|the money] [from the {account_} account ][{recipient}]"),
        books=("<transfers>", "<sends>"), thing="the transfer",
        answer=("the balance[ of the {account_} account] <is> {balance_}", "there <is> {balance_} in the [{account_} |]account"),
    ),
    "bus": Domain(
        {
            "FindBus": ("find a bus[ {origin}][ {destination}][ {date}][ {time}]", "travel by bus[ {origin}][ {destination}][ {date}]",
                        "take a bus[ {destination}][ {date}]"),
            "BuyBusTicket": ("buy [{tickets}|bus tickets][ {origin}][ {destination}][ {date}][ {time}]",
                             "book [{tickets}|bus tickets][ {destination}][ {date}]",
                             "go[ {origin}][ {destination}] by bus[ {date}]", "get [{tickets}|a bus ticket][ {destination}]"),
        },
        "bus tickets",
        items={"FindBus": ("a bus[ {origin}][ {destination}][ {date}]",)},
        offer=("a bus leaving {time}[ for {price_}]", "the {time_} bus[, which costs {price_}]", "a bus {time}[ with {changes}]"),
        booked=("[{tickets}|the tickets][ {origin}][ {destination}][ {date}][ {time}]",
                "[{tickets}|the bus tickets] for the [{time_} |]bus[ {destination}]"),
        books=("<books>", "<buys>", "<reserves>"), thing="the bus tickets", unit="bus ticket",
    ),
    "calendar": Domain(
        {
            "GetEvents": ("check {his} calendar[ for {date_}]", "know what is on {his} calendar[ {date}]",
                          "know what is planned[ {date}]"),
            "GetAvailableTime": ("check the calendar for free time[ {date}]", "know when there is free time[ {date}]",
                                 "find a free slot[ {date}] in the calendar"),
            "AddEvent": ("add [{name_}|an event] to the calendar[ {date}][ {time}]",
                         "put [{name_}|an event] in the calendar[ {date}][ {time}]", "schedule [{name_}|an event][ {date}][ {time}]"),
        },
        "calendar",
        booked=("[{name_}|the event] to the calendar[ {date}][ {time}]",), books=("<adds>",), thing="the calendar entry",
        answer=("{u} <is> free from {start_} to {end_}[ {date}]", "there <is> free time[ {date}] from {start_} until {end_}",
                "{name_} <is> planned[ {date}][ {time}]", "[{date_}: |]{name_}[ {time}]"),
    ),
    "event": Domain(
        {
            "FindEvents": ("find a~ [{kind_} |]event[ {city}][ {date}]", "go to a~ [{kind_} |]event[ {city}][ {date}]",
                           "see a~ [{kind_} |]event[ {city}][ {date}]"),
            "GetEventDates": ("know when [{name_}|an event] takes place[ {city}]", "know the dates of [{name_}|an event][ {city}]",
                              "find an event[ {city}]"),
            "BuyEventTickets": ("buy [{tickets}|tickets][ for {name_}][ {city}][ {date}]", "get [{tickets}|tickets][ for {name_}][ {date}]",
                                "book [{tickets}|tickets][ for {name_}][ {city}]"),
        },
        "event tickets",
        items={"FindEvents": ("a~ [{kind_} |]event[ {city}][ {date}]", "something to do[ {city}][ {date}]")},
        offer=("{name_}[ {venue}][ {date}]", "{name_}[ {venue}][ {date}][ {time}]", "{name_}[ {city}]"),
        booked=("[{tickets}|the tickets][ for {name_}][ {venue}][ {city}][ {date}][ {time}]", "[{tickets}|the tickets][ for {name_}][ {date}]"),
        books=("<books>", "<buys>", "<reserves>"), thing="the tickets", unit="ticket",
    ),
    "flight": Domain(
        {
            "SearchOnewayFlight": ("find a~ [{class_} |]one-way flight[ {origin}][ {destination}][ {date}]",
                                   "fly[ {origin}][ {destination}][ {date}]", "find a flight[ {origin}][ {destination}][ {date}][ with {airlines_}]"),
            "ReserveOnewayFlight": ("book a~ [{class_} |]one-way flight[ {origin}][ {destination}][ {date}]",
                                    "reserve a flight[ {origin}][ {destination}][ {date}]"),
            "SearchRoundtripFlights": ("find a round-trip flight[ {origin}][ {destination}][, leaving {date}][ and returning {return_date}]",
                                       "fly[ {origin}][ {destination}][ {date}] and come back[ {return_date}]",
                                       "find return flights[ {origin}][ {destination}]"),
            "ReserveRoundtripFlights": ("book a round-trip flight[ {origin}][ {destination}][, leaving {date}][ and returning {return_date}]",
                                        "book return flights[ {origin}][ {destination}]"),
        },
        "flights",
        items={
            "SearchOnewayFlight": ("a one-way flight[ {origin}][ {destination}][ {date}]", "a flight[ {destination}][ {date}]"),
            "SearchRoundtripFlights": ("a round-trip flight[ {origin}][ {destination}]", "flights[ {destination}], leaving {date} and returning {return_date}"),
        },
        offer=("a~ [{airlines_} |]flight[ leaving {out_time}][ for {price_}]",
               "a~ [{airlines_} |]flight[ {out_time}][, coming back {in_time}][, for {price_}]", "a flight[ with {airlines_}][ that costs {price_}]"),
        booked=("a~ [{airlines_} |]flight[ {origin}][ {destination}][ {date}][ {out_time}]", "the flight[ with {airlines_}][ {destination}][ {date}]",
                "[{tickets}|the flight][ {origin}][ {destination}][ {date}][, returning {return_date}]"),
        books=("<books>", "<reserves>"), thing="the flight", unit="plane ticket",
    ),
    "home": Domain(
        {
            "FindApartment": ("find a~ [{beds_}-bedroom |]apartment[ {area}]", "rent a~ [{beds_}-bedroom |]apartment[ {area}]",
                              "find an apartment[ with {bedrooms} and {bathrooms}][ {area}]", "move to an apartment[ {area}]"),
            "ScheduleVisit": ("visit [{name_}|the apartment][ {date}]", "see [{name_}|the apartment][ {date}]", "schedule a visit[ to {name_}][ {date}]"),
        },
        "finding an apartment",
        items={"FindApartment": ("a~ [{beds_}-bedroom |]apartment[ {area}]", "an apartment[ with {bedrooms}][ {area}]", "a place to live[ {area}]")},
        offer=("{name_}[ at {address_}][ for {rent_}]", "{name_}[, which has {bedrooms}]", "an apartment at {name_}[ for {rent_} a month]"),
        booked=("a visit[ to {name_}][ {date}]", "a viewing[ at {name_}][ {date}]"),
        books=("<schedules>", "<arranges>", "<books>"), thing="the visit",
    ),
    "hotel": Domain(
        {
            "SearchHotel": ("find a hotel[ {city}][ with {stars_} stars]", "stay at a hotel[ {city}]", "find a~ [{stars_}-star |]hotel[ {city}]"),
            "ReserveHotel": ("book [{rooms}|a room][ at {name_}][ {city}][ from {check_in_}][ to {check_out_}]", "reserve a hotel room[ {city}][ from {check_in_}]",
                             "book a hotel[ {city}][ for {nights}]", "reserve [{rooms}|a room][ at {name_}][ {check_in}][ for {nights}]"),
        },
        "hotel booking",
        items={"SearchHotel": ("a~ [{stars_}-star |]hotel[ {city}]", "a place to stay[ {city}]", "a hotel[ {city}][ from {check_in_}]")},
        offer=("{name_}[, a {stars_}-star hotel]", "{name_}[, which has a rating of {rating_}]", "the {name_}[ {city}]"),
        booked=("[{rooms}|a room][ at {name_}][ {city}][ from {check_in_} to {check_out_}][ for {nights}]", "[{rooms}|the room][ at {name_}][ {check_in}][ for {nights}]",
                "[{rooms}|a room][ at {name_}][ from {check_in_} until {check_out_}]"),
        books=("<books>", "<reserves>"), thing="the hotel room",
    ),
    "house": Domain(
        {
            "SearchHouse": ("find a house[ {city}][ {guests}]", "find a place to stay[ {city}]", "rent a house[ {city}][ {guests}]"),
            "BookHouse": ("book a house[ {city}][ {guests}][ from {check_in_}][ to {check_out_}]", "reserve a place[ {city}][ from {check_in_}]",
                          "rent a house[ {city}][ from {check_in_} until {check_out_}]"),
        },
        "booking a house",
        items={"SearchHouse": ("a house[ {city}][ {guests}]", "a place to stay[ {city}]")},
        offer=("a house at {name_}[, rated {rating_}]", "a place at {name_}", "{name_}[, which has a rating of {rating_}]"),
        booked=("[the house at {name_}|a house][ {city}][ from {check_in_} to {check_out_}][ {guests}]", "the house[ {city}][ from {check_in_}][ until {check_out_}]"),
        books=("<books>", "<reserves>"), thing="the house",
    ),
    "media": Domain(
        {
            "FindMovies": ("find a~ [{genre_} |]movie[ {director}]", "watch a~ [{genre_} |]movie[ {director}]", "find something to watch"),
            "PlayMovie": ("watch [{name_}|a movie][ {subtitles}]", "play [{name_}|a movie][ {subtitles}]"),
        },
        "watching a movie",
        items={"FindMovies": ("a~ [{genre_} |]movie[ {director}]", "a movie to watch[ {director}]")},
        offer=("{name_}",), booked=("[{name_}|the movie][ {subtitles}]",), books=("<plays>", "<starts>"), thing="the movie",
    ),
    "movie": Domain(
        {
            "FindMovies": ("find a~ [{genre_} |]movie[ {theater}][ {city}]", "see a~ [{genre_} |]movie[ {city}]", "go to the movies[ {city}]"),
            "GetTimesForMovie": ("know when [{name_}|the movie] is shown[ {theater}][ {date}]", "know the show times[ of {name_}][ {theater}][ {city}]",
                                 "know what time [{name_}|the movie] starts[ {date}]"),
            "BuyMovieTickets": ("buy [{tickets}|movie tickets][ for {name_}][ {theater}][ {city}][ {date}]", "get [{tickets}|tickets][ for {name_}][ {date}]",
                                "book [{tickets}|tickets][ for {name_}][ {time}]"),
        },
        "movie tickets",
        items={"FindMovies": ("a~ [{genre_} |]movie[ {theater}][ {city}]", "a movie to see[ {city}]")},
        offer=("{name_}[ {theater}]", "{name_}"),
        booked=("[{tickets}|the tickets][ for {name_}][ {theater}][ {city}][ {date}][ {time}]", "[{tickets}|tickets][ for {name_}][ {date}][ {time}]"),
        books=("<books>", "<buys>", "<orders>"), thing="the movie tickets", unit="ticket",
        answer=("[{name_}|it] <is> shown[ {theater}] {time}", "there <is> a show {time}[ {theater}]", "[{name_}|the movie] <starts> {time}[ {theater}]"),
    ),
    "music": Domain(
        {
            "LookupSong": ("find a~ [{genre_} |]song[ {artist}][ {album}]", "listen to some [{genre_} |]music[ {artist}]", "hear a~ [{genre_} |]song[ {artist}]"),
            "PlaySong": ("play [{name_}|a song][ {artist}][ {device}]", "listen to [{name_}|a song][ {artist}][ {device}]", "hear [{name_}|a song]"),
            "LookupMusic": ("find a~ [{genre_} |]song[ {artist}][ {album}]", "listen to some [{genre_} |]music[ {artist}]", "find some [{genre_} |]music[ {artist}]"),
            "PlayMedia": ("play [{name_}|a song][ {artist}][ {device}]", "listen to [{name_}|a song][ {device}]"),
        },
        "playing music",
        items={"LookupSong": ("a~ [{genre_} |]song[ {artist}]", "some [{genre_} |]music[ {artist}]"), "LookupMusic": ("a~ [{genre_} |]song[ {artist}]", "some [{genre_} |]music")},
        offer=("{name_}[ {artist}]", "{name_}[ {artist}][ {album}]", "the song {name_}[ {artist}]"),
        booked=("[{name_}|the song][ {artist}][ {device_on}]", "[{name_}|the song][ {device_on}]"), books=("<plays>", "<starts>"), thing="the song",
    ),
    "car": Domain(
        {
            "GetCarsAvailable": ("find a rental car[ {city}][ {date}]", "rent a~ [{type_} |]car[ {city}][ from {date_}][ to {dropoff_}]",
                                 "find a~ [{type_} |]car to rent[ {city}][ from {date_} until {dropoff_}]"),
            "ReserveCar": ("reserve a rental car[ {city}][ {date}]", "rent a~ [{type_} |]car[ {city}][ from {date_}][ to {dropoff_}]", "book a~ [{type_} |]car[ {city}][ {date}]"),
        },
        "renting a car",
        items={"GetCarsAvailable": ("a rental car[ {city}][ {date}]", "a~ [{type_} |]car to rent[ {city}]")},
        offer=("a~ [{type_} |]{name_}[ {place}]", "a~ {name_}", "a~ {name_}[ to be picked up {place}]"),
        booked=("[a~ {name_}|the car][ {place}][ from {date_} to {dropoff_}]", "[a~ {name_}|a car], to be picked up[ {place}][ {date}][ {time}]",
                "a~ [{type_} |]car[ {date}][ {time}]"),
        books=("<books>", "<reserves>"), thing="the car",
    ),
    "restaurant": Domain(
        {
            "FindRestaurants": ("find a~ [{cuisine_} |]restaurant[ {city}]", "eat[ {cuisine_} food] at a restaurant[ {city}]", "find a place to eat[ {city}]",
                                "find a~ {price_} [{cuisine_} |]restaurant[ {city}]"),
            "ReserveRestaurant": ("book a table[ {party}][ at {name_}][ {city}][ {date}][ {time}]", "reserve a table[ {party}][ at {name_}][ {time}]",
                                  "make a reservation[ at {name_}][ {city}][ {party}][ {date}][ {time}]"),
        },
        "restaurant booking",
        items={"FindRestaurants": ("a~ [{cuisine_} |]restaurant[ {city}]", "a place to eat[ {city}]", "a~ {price_} [{cuisine_} |]restaurant[ {city}]",
                                   "somewhere to eat[ {cuisine_} food][ {city}]")},
        offer=("{name_}[ {city}]", "{name_}", "{name_}[, a~ {cuisine_} restaurant][ {city}]"),
        booked=("a table[ {party}][ at {name_}][ {city}][ {date}][ {time}]", "a table[ at {name_}][ {party}][ {time}][ {date}]"),
        books=("<books>", "<reserves>"), thing="the reservation",
    ),
    "ride": Domain(
        {"GetRide": ("get a [{type_} |]ride[ {destination}][ {party}]", "book a [{type_} |]cab[ {destination}][ {party}]", "take a taxi[ {destination}][ {party}]")},
        "booking a cab",
        items={"GetRide": ("a ride[ {destination}][ {party}]", "a taxi[ {destination}]")},
        booked=("a [{type_} |]ride[ {destination}][ {party}]", "a cab[ {destination}][ {party}]", "the ride[ {destination}]"),
        books=("<books>", "<orders>"), thing="the ride",
    ),
    "salon": Domain(
        {"FindProvider": ("find a hair salon[ {city}]", "find a hairdresser[ {city}]", "find a hair stylist[ {city}]"),
         "BookAppointment": ("book an appointment[ at {name_}][ {city}][ {date}][ {time}]", "make an appointment[ at {name_}][ {date}][ {time}] for a haircut",
                             "get a haircut[ at {name_}][ {date}][ {time}]")},
        "salon appointment",
        items={"FindProvider": ("a hair salon[ {city}]", "a hairdresser[ {city}]", "a hair stylist[ {city}]")},
        offer=("{name_}[ {city}]", "{name_}"), booked=("an appointment[ at {name_}][ {date}][ {time}]", "an appointment[ {date}][ {time}][ at {name_}]"),
        books=("<books>", "<makes>", "<schedules>"), thing="the appointment",
    ),
    "dentist": Domain(
        {"FindProvider": ("find a dentist[ {city}]", "see a dentist[ {city}]"),
         "BookAppointment": ("book a dentist appointment[ with {name_}][ {city}][ {date}][ {time}]", "make an appointment with [{name_}|a dentist][ {date}][ {time}]",
                             "see [{name_}|a dentist][ {city}][ {date}][ {time}]")},
        "dentist appointment",
        items={"FindProvider": ("a dentist[ {city}]", "a good dentist[ {city}]")},
        offer=("{name_}[ {city}]", "{name_}"), booked=("an appointment[ with {name_}][ {date}][ {time}]", "a dentist appointment[ {date}][ {time}][ with {name_}]"),
        books=("<books>", "<makes>", "<schedules>"), thing="the dentist appointment",
    ),
    "doctor": Domain(
        {"FindProvider": ("find a~ [{type_}|doctor][ {city}]", "see a~ [{type_}|doctor][ {city}]"),
         "BookAppointment": ("book an appointment with [{name_}|a~ {type_}|a doctor][ {city}][ {date}][ {time}]", "see [{name_}|a~ {type_}|a doctor][ {date}][ {time}]",
                             "make a doctor's appointment[ {date}][ {time}]")},
        "doctor's appointment",
        items={"FindProvider": ("a~ [{type_}|doctor][ {city}]",)},
        offer=("{name_}[ {city}]", "{name_}"), booked=("an appointment[ with {name_}][ {date}][ {time}]", "an appointment[ {date}][ {time}][ with {name_}]"),
        books=("<books>", "<makes>", "<schedules>"), thing="the appointment",
    ),
    "attraction": Domain(
        {"FindAttractions": ("visit some attractions[ {city}]", "find things to see[ {city}]", "visit a~ {category_}[ {city}]", "find a~ {category_}[ {city}]",
                             "find a place to visit[ {city}]")},
        "sightseeing",
        items={"FindAttractions": ("a~ {category_}[ {city}]", "things to do[ {city}]", "attractions[ {city}]")},
        offer=("{name_}", "{name_}[, a~ {category_}]"), thing="the visit",
    ),
    "weather": Domain(
        {"GetWeather": ("know the weather[ {city}][ {date}]", "know what the weather will be like[ {city}][ {date}]", "check the weather forecast[ {city}][ {date}]")},
        "weather forecast",
        answer=("it <will> be {temperature_} degrees[ with a {rain_} percent chance of rain]", "the temperature <will> be {temperature_} degrees[ and the chance of rain {rain_} percent]",
                "the chance of rain <is> {rain_} percent[ and the temperature {temperature_} degrees]"),
        thing="the forecast",
    ),
}  # fmt: skip
