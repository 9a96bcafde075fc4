"""The domains of validation and held-out worlds, with nouns that training never uses."""

from __future__ import annotations

from graphenv.envs.queries.sources.synthetic.vocabulary import domain

__all__ = ["HELDOUT", "VALIDATION"]

VALIDATION = (
    domain(
        "restaurant",
        (
            "Restaurant restaurants|Diner diners / name / city:Chez {},{} Kitchen,Table of {} / 3 "
            "/ year opened_in|opening_year opened 1950 2022; score rating 1 5; choice cuisine "
            "Thai,Greek,Indian,Cuban; flag has_terrace with a terrace|without a terrace",
            "Chef chefs|Cook cooks / name / person / 3 / year birth_year born 1945 2000; amount "
            "salary 20 200; choice specialty grill,pastry,sauce",
            "Dish dishes|Meal meals / name / city:{} stew,{} pie,{} salad / 5 / amount price 4 90; "
            "amount calories 80 1800; choice course starter,main,dessert; flag is_vegan that are "
            "vegan|that are not vegan",
            "Supplier suppliers|Wholesaler wholesalers / name / company / 1 / year founded_in "
            "founded 1920 2015; amount trucks|truck_count 1 90; choice region "
            "coast,valley,mountain",
            "Ingredient ingredients|Foodstuff foodstuffs / name / language:{} pepper,{} cheese,{} "
            "root / 4 / amount price_per_kilo|cost 1 90; choice origin local,imported; score? "
            "freshness 1 10",
            "Guest guests|Patron patrons / name / person / 4 / amount visits|visit_count 1 80; "
            "year joined_in|first_visit who joined 2005 2023; choice age_group young,adult,senior",
        ),
        (
            "OWNED_BY|HELD_BY / Restaurant Chef one / owned by|held by / who own|who hold",
            "SERVES|OFFERS / Restaurant Dish many / serving|offering / served at|offered by",
            "CREATED_BY|INVENTED_BY / Dish Chef maybe / created by|invented by / who created|who "
            "invented",
            "CONTAINS_INGREDIENT|MADE_WITH / Dish Ingredient many / containing|made with / "
            "contained in|used in",
            "DELIVERED_BY|SUPPLIED_BY / Ingredient Supplier one / delivered by|supplied by / that "
            "deliver|that supply",
            "TRAINED_UNDER|STUDIED_WITH / Chef Chef tree / who trained under|who studied with / "
            "who trained|who instructed",
            "ORDERED|ASKED_FOR / Guest Dish many / who ordered|who asked for / ordered by|asked "
            "for by",
            "PREFERS|REGULAR_AT / Guest Restaurant maybe / who prefer|who are regulars at / "
            "preferred by|with the regulars",
            "VARIANT_OF|BASED_ON / Dish Dish tree / that are variants of|based on / with the "
            "variant|adapted as",
            "BUYS_FROM|STOCKS_UP_AT / Restaurant Supplier many / buying from|stocking up at / "
            "with sales to|that stock",
        ),
    ),
    domain(
        "museum",
        (
            "Painting paintings|Artwork artworks / title / painting / 5 / year painted_in|"
            "creation_year painted 1650 2000; amount height_cm|height 20 400; choice style "
            "baroque,cubist,realist,abstract; amount? insured_value 10 90000; flag is_on_display "
            "that are on display|that are not on display",
            "Painter painters|Artist artists / name / person / 3 / year birth_year born 1600 "
            "1970; choice school Dutch,Roman,Viennese; amount known_works 5 900",
            "Museum museums|Gallery galleries / name / museum / 1 / year founded_in founded 1780 "
            "2010; amount visitors 900 90000; score rating 1 5",
            "Exhibition exhibitions|Show shows / title|name / book:{} Revisited,Visions of {} / 3 "
            "/ year held_in|show_year held 1990 2023; amount ticket_price 3 40; choice theme "
            "nature,war,portrait",
            "Collector collectors|Buyer buyers / name / person / 2 / amount fortune 10 90000; "
            "choice country_name Brazil,Canada,Egypt; year birth_year born 1930 1990",
            "Curator curators / name / person / 2 / year hired_in hired 1985 2022; choice degree "
            "master,doctorate; score reputation 1 10",
        ),
        (
            "PAINTED_BY|MADE_BY / Painting Painter one / painted by|made by / who painted|who made",
            "HANGS_IN|KEPT_IN / Painting Museum maybe / hanging in|kept in / that house|that keep",
            "SHOWN_IN|PART_OF / Painting Exhibition many / shown in|taken into / with the "
            "work|that showed",
            "STUDENT_OF|TAUGHT_BY / Painter Painter tree / who studied under|taught by / who "
            "taught|who were masters of",
            "LENT_BY|OWNED_BY / Painting Collector maybe / lent by|owned by / who lent|who own",
            "HOSTED_BY|HELD_AT / Exhibition Museum one / hosted by|held at / that hosted|that "
            "put on",
            "CURATED_BY|ARRANGED_BY / Exhibition Curator many / curated by|arranged by / who "
            "curated|who arranged",
            "WORKS_AT|EMPLOYED_BY / Curator Museum one / working at|employed by / with the "
            "curator|that employ",
            "COPY_OF|AFTER / Painting Painting tree / that are copies of|painted after / copied "
            "as|that served as a model for",
            "SUPPORTS|DONATES_TO / Collector Museum many / supporting|donating to / supported "
            "by|with donations of",
        ),
    ),
    domain(
        "shipping",
        (
            "Ship ships|Vessel vessels / name / city:{} Star,Queen of {},{} Trader / 4 / year "
            "built_in|build_year built 1970 2022; amount length|length_m 40 400; choice flag_state "
            "Malta,Panama,Norway; score? condition_score 1 10",
            "Harbor harbors|Port ports / name / city:{} Harbor,{} Docks / 2 / amount depth 4 40; "
            "amount berths 2 90; choice coast north,south,west",
            "Container containers|Crate crates / label|name / language:{} box,{} crate,{} case / "
            "5 / amount weight 100 30000; choice content food,machines,cloth; flag is_sealed that "
            "are sealed|that are not sealed",
            "Sailor sailors|Seaman seamen / name / person / 4 / year birth_year born 1955 2003; "
            "amount wage 10 90; choice role deck,engine,kitchen",
            "Shipper shippers|FreightCompany freight companies / name / company / 1 / year "
            "founded_in founded 1880 2012; amount offices 1 120; score reliability 1 10",
            "Voyage voyages|Passage passages / name / city:{} run,{} crossing / 4 / year "
            "sailed_in sailed 2000 2023; amount duration_days 2 60; choice outcome "
            "early,punctual,late",
        ),
        (
            "OPERATED_BY|RUN_BY / Ship Shipper one / operated by|run by / that operate|that run",
            "SAILS_ON|SERVES_ON / Sailor Ship maybe / sailing on|serving on / with the crew "
            "member|crewed by",
            "MADE_BY_SHIP|PERFORMED_BY / Voyage Ship one / made by|performed by / that made|that "
            "performed",
            "STARTS_AT|LEAVES_FROM / Voyage Harbor one / starting at|leaving from / that "
            "launched|left by",
            "ENDS_AT|ARRIVES_AT / Voyage Harbor one / ending at|arriving at / that received|that "
            "welcomed",
            "CARRIED_ON|LOADED_FOR / Container Voyage many / carried on|loaded for / that "
            "carried|loaded with",
            "SENT_BY|BELONGS_TO / Container Shipper maybe / sent by|belonging to / that sent|that "
            "own",
            "CALLS_AT|STOPS_AT / Ship Harbor many / calling at|stopping at / called at by|with "
            "stops of",
            "OBEYS|REPORTS_TO / Sailor Sailor tree / obeying|reporting to / who command|who direct",
            "SPLIT_FROM|OFFSHOOT_OF / Shipper Shipper tree / split off from|that are offshoots of "
            "/ that spun off|divided into",
        ),
    ),
)
HELDOUT = (
    domain(
        "railway",
        (
            "Train trains|RailService rail services / name / city:{} Limited,{} Arrow,{} Night / 4 "
            "/ amount top_speed|max_speed 80 350; year introduced_in introduced 1960 2023; choice "
            "class_name regional,fast,sleeper; flag has_restaurant_car with a dining car|without "
            "a dining car",
            "Station stations|RailStop rail stops / name / city:{} Central,{} Junction / 3 / "
            "amount platforms|platform_count 1 30; year opened_in opened 1840 2015; choice zone "
            "inner,middle,outer",
            "Conductor conductors|Guard guards / name / person / 3 / year hired_in|hire_year hired "
            "1980 2022; amount salary 20 120; choice shift early,late,night",
            "Track tracks|RailLine rail lines / name / language:{} Line,{} Branch / 2 / amount "
            "length_km 5 900; score quality 1 10; choice gauge narrow,standard,broad",
            "Depot depots|Yard yards / name / city:{} Depot,{} Sheds / 1 / amount workers 5 800; "
            "amount area 10 900; flag is_covered that are covered|that are not covered",
            "Passenger passengers|Commuter commuters / name / person / 5 / year birth_year born "
            "1940 2012; amount trips|trip_count 1 900; choice ticket_type single,monthly,yearly; "
            "score? satisfaction 1 10",
        ),
        (
            "STARTS_FROM|ORIGIN / Train Station one / starting from|with the origin / where a "
            "start is made by|sending out",
            "STOPS_AT|HALTS_AT / Train Station many / stopping at|halting at / with stops "
            "of|served by",
            "STAFFED_BY|ACCOMPANIED_BY / Train Conductor many / staffed by|accompanied by / who "
            "staff|who accompany",
            "RUNS_ALONG|USES_TRACK / Train Track one / running along|using / used by|travelled by",
            "SLEEPS_IN|STORED_IN / Train Depot maybe / stored in|parked in / that store|used to "
            "park",
            "RIDES|BOOKED_ON / Passenger Train many / riding|booked on / ridden by|booked by",
            "LIVES_NEAR|BOARDS_AT / Passenger Station maybe / living near|boarding at / close "
            "to|boarded at by",
            "BOSS_IS|ANSWERS_TO / Conductor Conductor tree / answering to|below / who supervise|"
            "above",
            "CONNECTS|PASSES_THROUGH / Track Station many / connecting|passing through / "
            "connected by|on the way of",
            "BRANCH_OF|SPLITS_FROM / Track Track tree / branching off|splitting from / that feed "
            "into|that divide into",
        ),
    ),
    domain(
        "bank",
        (
            "Client clients|AccountHolder account holders / name|full_name / person / 5 / year "
            "birth_year born 1935 2004; amount income 10 900; choice segment "
            "private,small,corporate; flag is_verified that are verified|that are not verified",
            "Account accounts|Deposit deposits / label|name / city:{} savings,{} current,{} fund / "
            "5 / amount balance 10 90000; year opened_in|opening_year opened 1990 2023; choice "
            "currency EUR,USD,JPY; score? interest_rate 0 9",
            "Branch branches|BankOffice bank offices / name / city:{} Branch,{} Office / 2 / "
            "amount staff_count|employees 3 200; year founded_in founded 1900 2018; choice "
            "area_name centre,suburb,rural",
            "Advisor advisors|Consultant consultants / name / person / 2 / year certified_in "
            "certified 1985 2022; amount bonus 1 90; choice grade bronze,silver,gold",
            "Loan loans|Credit credits / reference|name / language:{} mortgage,{} credit / 3 / "
            "amount principal|amount_lent 10 9000; amount term_months 6 360; choice purpose "
            "house,car,study; flag is_repaid that are repaid|that are not repaid",
            "Merchant merchants|Vendor vendors / name / company / 2 / amount sales 10 9000; score "
            "trust 1 10; choice sector food,travel,health",
        ),
        (
            "HELD_BY|OWNED_BY / Account Client many / held by|owned by / who hold|who own",
            "KEPT_AT|MANAGED_AT / Account Branch one / kept at|managed at / that keep|that manage",
            "TAKEN_BY|GRANTED_TO / Loan Client one / taken by|granted to / who took|who were "
            "granted",
            "APPROVED_BY|SIGNED_OFF_BY / Loan Advisor maybe / approved by|signed off by / who "
            "approved|who signed off",
            "WORKS_AT|BASED_IN / Advisor Branch one / working at|based in / with the "
            "advisor|that employ",
            "ADVISED_BY|COUNSELLED_BY / Client Advisor maybe / advised by|counselled by / who "
            "advise|who counsel",
            "REFERRED_BY|RECRUITED_BY / Client Client tree / referred by|recruited by / who "
            "referred|who recruited",
            "PAYS|BUYS_AT / Client Merchant many / paying|buying at / paid by|with purchases of",
            "SECURED_BY|BACKED_BY / Loan Account many / secured by|backed by / that secure|that "
            "back",
            "UNDER|BELONGS_TO / Branch Branch tree / placed under|belonging to / placed "
            "over|responsible for",
        ),
    ),
    domain(
        "space",
        (
            "Mission missions|SpaceFlight space flights / name / city:{} Probe,{} Explorer,Project "
            "{} / 4 / year launched_in|launch_year launched 1960 2023; amount cost 10 9000; choice "
            "result success,partial,failure; flag is_crewed that are crewed|that are not crewed",
            "Astronaut astronauts|Cosmonaut cosmonauts / name / person / 4 / year birth_year born "
            "1925 1995; amount days_in_space|time_in_space 1 900; choice field "
            "physics,biology,medicine",
            "Rocket rockets|Launcher launchers / name / language:{} Heavy,{} Light / 2 / "
            "amount thrust 90 9000; year first_flown first flown 1955 2022; score reliability 1 10",
            "Planet planets|Moon moons / name / city / 3 / amount radius 90 90000; score gravity 0 "
            "30; choice surface rock,ice,gas; score? albedo 0 9",
            "Agency agencies|SpaceOffice space offices / name / country:{} Space Agency,{} Orbital "
            "/ 1 / year founded_in founded 1950 2015; amount budget 10 9000; choice continent "
            "Africa,Asia,Europe",
            "Instrument instruments|Sensor sensors / name / city:{} camera,{} radar,{} "
            "spectrometer / 4 / amount mass|mass_kg 1 900; amount power|power_watt 1 400; choice "
            "type_name optical,radio,thermal",
        ),
        (
            "RUN_BY|MANAGED_BY / Mission Agency one / run by|managed by / that run|that manage",
            "LAUNCHED_ON|LIFTED_BY / Mission Rocket one / launched on|lifted by / that "
            "launched|that lifted",
            "VISITS|TARGETS / Mission Planet many / visiting|targeting / visited by|targeted by",
            "FLEW_ON|CREW_OF / Astronaut Mission many / who flew on|in the crew of / with the crew "
            "member|carrying",
            "EMPLOYED_BY|WORKS_FOR / Astronaut Agency one / employed by|working for / that "
            "employ|that train",
            "MOUNTED_ON|CARRIED_BY / Instrument Mission maybe / mounted on|carried by / equipped "
            "with|that carry",
            "BUILT_BY|DESIGNED_BY / Instrument Agency maybe / built by|designed by / that "
            "built|that designed",
            "ORBITS|CIRCLES / Planet Planet tree / orbiting|circling / orbited by|circled by",
            "SUCCESSOR_OF|DERIVED_FROM / Rocket Rocket tree / succeeding|derived from / succeeded "
            "by|that led to",
            "OBSERVES|STUDIES / Instrument Planet many / observing|studying / observed by|studied "
            "by",
        ),
    ),
    domain(
        "music",
        (
            "Song songs|Tune tunes / title / song / 5 / year recorded_in|recording_year recorded "
            "1955 2023; amount duration|seconds 60 600; choice mood happy,sad,wild; amount? "
            "streams 100 90000",
            "Singer singers|Vocalist vocalists / name / person / 3 / year birth_year born 1930 "
            "2004; score fame 1 10; choice voice soprano,alto,tenor,bass",
            "Band bands|MusicGroup music groups / name / band / 2 / year formed_in formed 1955 "
            "2020; amount concerts 5 900; choice style rock,jazz,folk,soul; flag is_active "
            "that are active|that are not active",
            "Album albums|Record records / title / book:{} Sessions,Live in {},Songs of {} / 3 / "
            "year issued_in|issue_year issued 1955 2023; amount copies_sold|sales 1 9000; score "
            "review 1 10",
            "RecordLabel record labels|MusicCompany music companies / name / company / 1 / amount "
            "artists_signed 2 300; year founded_in founded 1930 2015; choice kind_name major,indie",
            "Venue venues|ConcertHall concert halls / name / city:{} Hall,Club {} / 2 / amount "
            "capacity 50 20000; score acoustics 1 10; choice quarter old town,docks,hill",
        ),
        (
            "SUNG_BY|PERFORMED_BY / Song Singer many / sung by|performed by / who sang|who "
            "performed",
            "ON_ALBUM|INCLUDED_ON / Song Album maybe / included on|found on / with the "
            "song|that include",
            "RELEASED_BY|PUT_OUT_BY / Album Band one / released by|put out by / that "
            "released|that put out",
            "ISSUED_BY|MARKETED_BY / Album RecordLabel one / distributed by|marketed by / that "
            "distribute|that market",
            "SINGS_IN|FRONTS / Singer Band maybe / singing in|fronting / with the "
            "singer|fronted by",
            "PLAYED_AT|TOURED / Band Venue many / that played at|that toured / played at by|toured "
            "by",
            "COVER_OF|VERSION_OF / Song Song tree / that are covers of|that are versions of / "
            "covered as|with the version",
            "COACHED_BY|PUPIL_OF / Singer Singer tree / coached by|who are pupils of / who "
            "coached|who were teachers of",
            "SIGNED_TO|CONTRACTED_TO / Band RecordLabel maybe / signed to|contracted to / that "
            "signed|that contracted",
            "INSPIRED / Song Band many / that inspired|that shaped / inspired by|shaped by",
        ),
    ),
)
