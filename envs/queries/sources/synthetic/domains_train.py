"""The domains of training worlds. No noun of theirs occurs in `domains_other` (tested)."""

from __future__ import annotations

from graphenv.envs.queries.sources.synthetic.vocabulary import domain

__all__ = ["TRAIN"]

TRAIN = (
    domain(
        "cinema",
        (
            "Film films|Movie movies / title|name / film / 5 / year release_year|year_of_release "
            "released 1950 2022; amount runtime|running_time 60 240; score rating 1 10; choice "
            "genre drama,comedy,western,thriller,musical; amount? budget 100 90000; flag "
            "is_restored that are restored|that are not restored",
            "Director directors|Filmmaker filmmakers / name / person / 2 / year birth_year born "
            "1900 1995; choice nationality Danish,French,Korean,Mexican; amount? fee|salary 10 900",
            "Actor actors|Performer performers / name / person / 4 / year birth_year born 1900 "
            "2000; score popularity 0 10; choice nationality Danish,French,Korean,Mexican",
            "Studio studios / name / company / 1 / year founded_in|founding_year founded 1900 "
            "2005; amount staff_count 10 5000; flag is_listed that are listed on the stock "
            "exchange|that are not listed on the stock exchange",
            "Festival festivals / name / city:{} Film Week,{} Screen Days / 1 / year first_year "
            "first held 1940 2015; amount visitors|attendance 500 90000; choice season "
            "spring,summer,autumn,winter",
            "Cinema cinemas|MovieTheater movie theaters / name / city:Cine {},{} Palace / 2 / "
            "amount seats|seat_count 40 900; choice district North,South,East,West; score "
            "comfort 1 5",
        ),
        (
            "DIRECTED_BY|MADE_BY / Film Director one / directed by|made by / who directed|who made",
            "STARS|FEATURES / Film Actor many / starring|featuring / who starred in|who appear in",
            "PRODUCED_BY|FINANCED_BY / Film Studio maybe / produced by|paid for by / that "
            "produced|that paid for",
            "SEQUEL_OF|FOLLOWS / Film Film tree / that are sequels of|that continue / that were "
            "continued by|with the sequel",
            "SHOWN_AT|SCREENED_AT / Film Festival many / shown at|screened at / that showed|that "
            "screened",
            "PLAYS_IN|RUNS_IN / Film Cinema many / now playing in|now running in / now "
            "playing|now running",
            "MENTORED_BY / Director Director tree / mentored by|taught by / who mentored|who "
            "taught",
            "SIGNED_WITH|UNDER_CONTRACT_WITH / Actor Studio maybe / signed with|under contract "
            "with / that signed|that have under contract",
            "SPONSORED_BY / Festival Studio one / sponsored by|supported by / that sponsor|that "
            "support",
            "ADMIRES / Actor Director many / who admire|who look up to / admired by|looked up to "
            "by",
        ),
    ),
    domain(
        "hospital",
        (
            "Patient patients|CarePatient care patients / name|full_name / person / 5 / year "
            "birth_year born 1930 2015; amount weight 40 140; choice blood_group "
            "A,B,AB,O; flag is_insured that are insured|that are not insured; score? "
            "risk_score 0 10",
            "Physician physicians|Doctor doctors / name|full_name / person / 3 / year "
            "licensed_in|license_year licensed 1975 2020; amount salary|pay 60 400; choice title "
            "junior,senior,chief",
            "Ward wards|Unit units / name / city:{} Ward,Ward {} / 1 / amount beds|bed_count 5 "
            "60; amount floor|storey 1 12; flag is_intensive for intensive care|not for "
            "intensive care",
            "Drug drugs|Medication medications / name / language:{}in,{}ol / 3 / amount "
            "price|unit_price 2 900; year approved_in|approval_year approved 1960 2021; choice "
            "form tablet,syrup,injection,cream",
            "Disease diseases|Disorder disorders / name / city:{} syndrome,{} fever / 2 / score "
            "severity 1 10; choice organ heart,lung,liver,skin; flag is_chronic that are "
            "chronic|that are not chronic",
            "Nurse nurses / name|full_name / person / 2 / year hired_in|hire_year hired 1985 "
            "2022; choice shift day,night,weekend; amount? overtime 1 90",
        ),
        (
            "TREATED_BY|SEEN_BY / Patient Physician one / treated by|seen by / who treat|who see",
            "STAYS_IN|ADMITTED_TO / Patient Ward maybe / staying in|admitted to / with a bed "
            "for|that admitted",
            "TAKES|PRESCRIBED / Patient Drug many / taking|prescribed / taken by|prescribed to",
            "HAS_DISEASE|DIAGNOSED_WITH / Patient Disease many / suffering from|diagnosed with / "
            "diagnosed in|found in",
            "SUPERVISED_BY|REPORTS_TO / Physician Physician tree / supervised by|reporting to / "
            "who supervise|who oversee",
            "WORKS_ON|ASSIGNED_TO / Nurse Ward one / working on|assigned to / staffed by|that "
            "employ",
            "CURES|USED_AGAINST / Drug Disease many / used against|given against / treated "
            "with|that respond to",
            "HEADED_BY|LED_BY / Ward Physician one / headed by|led by / who head|who lead",
            "REPLACES|SUPERSEDES / Drug Drug tree / that replace|that supersede / replaced "
            "by|superseded by",
            "ASSISTS / Nurse Physician many / assisting|helping / assisted by|helped by",
        ),
    ),
    domain(
        "airline",
        (
            "Airport airports|Airfield airfields / name / city:{} Airport,{} Field / 3 / amount "
            "elevation 1 3500; year opened_in|opening_year opened 1925 2015; amount gates|"
            "gate_count 2 150; choice continent Africa,Asia,Europe,America",
            "Airline airlines|Carrier carriers / name / country:Air {},{} Airways / 2 / year "
            "founded_in founded 1930 2015; amount fleet_size 3 700; choice alliance "
            "Star,Sky,Union; score? punctuality 1 10",
            "Flight flights / code / city:{} Shuttle,{} Express,{} Connector / 5 / amount "
            "distance 120 12000; amount passengers|passenger_count 20 400; choice status "
            "scheduled,delayed,cancelled; flag is_direct that are nonstop|that are not nonstop",
            "Pilot pilots|Captain captains / name / person / 3 / year licensed_in licensed 1980 "
            "2021; amount hours|flight_hours 200 20000; choice rank first,second,third",
            "Aircraft aircraft|Plane planes / name / city:Spirit of {},City of {} / 3 / year "
            "built_in|build_year built 1985 2022; amount seats 20 500; choice maker "
            "Aerion,Boltar,Cirran; flag is_leased that are leased|that are not leased",
        ),
        (
            "DEPARTS_FROM|LEAVES_FROM / Flight Airport one / departing from|leaving from / with "
            "departures of|left by",
            "ARRIVES_AT|LANDS_AT / Flight Airport one / arriving at|landing at / with arrivals "
            "of|reached by",
            "OPERATED_BY|RUN_BY / Flight Airline one / operated by|run by / that operate|that run",
            "FLOWN_BY|COMMANDED_BY / Flight Pilot many / flown by|commanded by / who fly|who "
            "command",
            "USES_AIRCRAFT|ON_BOARD / Flight Aircraft maybe / using|on board of / used for|in "
            "service on",
            "OWNED_BY|BELONGS_TO / Aircraft Airline one / owned by|belonging to / that own|that "
            "possess",
            "BASED_AT|HAS_HUB / Airline Airport many / based at|with a hub at / used as a hub "
            "by|home to",
            "TRAINED_BY / Pilot Pilot tree / trained by|instructed by / who trained|who instructed",
            "EMPLOYED_BY|WORKS_FOR / Pilot Airline maybe / employed by|working for / that "
            "employ|that pay",
            "SUBSIDIARY_OF|PART_OF / Airline Airline tree / that are subsidiaries of|that are "
            "part of / that are parents of|that control",
        ),
    ),
    domain(
        "university",
        (
            "Student students|Undergraduate undergraduates / name / person / 5 / year "
            "enrolled_in|entry_year enrolled 2005 2023; score grade|grade_average 1 5; amount "
            "credits|credit_points 10 300; flag has_scholarship holding a scholarship|without a "
            "scholarship",
            "Professor professors|Lecturer lecturers / name / person / 2 / year hired_in hired "
            "1980 2020; amount salary 50 200; choice rank assistant,associate,full",
            "Course courses|Class classes / title / book:{},Topics in {} / 4 / amount "
            "workload|hours_per_term 20 240; choice level basic,advanced,doctoral; amount? fee 10 "
            "900; score satisfaction 1 5",
            "Department departments|Faculty faculties / name / language:Department of {} Studies,"
            "School of {} / 1 / amount budget 100 9000; year founded_in founded 1850 2010; choice "
            "campus Hill,River,Central",
            "Library libraries / name / city:{} Library,{} Reading Room / 1 / amount "
            "volumes|holdings 900 90000; flag is_public that are open to the public|that are not "
            "open to the public; amount opening_hours 20 160",
            "Club clubs|Society societies / name / city:{} Debaters,{} Rowers,{} Players / 2 / "
            "amount member_fee 1 90; year started_in|start_year started 1950 2020; choice theme "
            "sport,music,politics",
        ),
        (
            "ATTENDS|ENROLLED_ON / Student Course many / attending|enrolled on / attended "
            "by|followed by",
            "TAUGHT_BY|GIVEN_BY / Course Professor one / taught by|given by / who teach|who give",
            "MEMBER_OF|WORKS_IN / Professor Department one / working in|employed at / that "
            "employ|that pay",
            "ADVISED_BY|TUTORED_BY / Student Professor maybe / advised by|tutored by / who "
            "advise|who tutor",
            "REQUIRES|BUILDS_ON / Course Course tree / that require|that build on / required "
            "by|needed for",
            "OFFERED_BY / Course Department one / offered by|organised by / that offer|that "
            "organise",
            "JOINED|BELONGS_TO / Student Club many / who joined|belonging to / joined by|with "
            "the members",
            "READS_AT|USES_LIBRARY / Student Library maybe / reading at|registered at / used "
            "by|visited by",
            "MAINTAINED_BY / Library Department one / maintained by|kept by / that maintain|that "
            "keep",
            "PRESIDED_BY|CHAIRED_BY / Club Student maybe / presided over by|chaired by / who "
            "preside over|who chair",
        ),
    ),
    domain(
        "publishing",
        (
            "Book books|Novel novels / title / book / 5 / year published_in|publication_year "
            "published 1950 2023; amount pages|page_count 60 1200; choice genre "
            "mystery,romance,history,poetry; score rating 1 5; flag is_translated that are "
            "translated|that are not translated",
            "Author authors|Writer writers / name / person / 3 / year birth_year born 1900 1995; "
            "choice nationality Irish,Kenyan,Polish,Chilean; amount? followers 100 90000",
            "Publisher publishers|PublishingHouse publishing houses / name / company / 1 / year "
            "founded_in founded 1850 2010; amount revenue|turnover 100 9000; choice size "
            "small,medium,large",
            "Bookshop bookshops|Bookstore bookstores / name / city:{} Books,Pages of {} / 2 / "
            "amount floor_area 30 2000; flag has_cafe with a cafe|without a cafe; score rating 1 5",
            "Prize prizes|LiteraryAward literary awards / name / award / 1 / amount "
            "prize_money|endowment 1 900; year first_given first given 1900 2015; choice field "
            "fiction,essay,debut",
            "Reader readers|Subscriber subscribers / name / person / 4 / year birth_year born "
            "1940 2010; choice city_name|town Oslo,Lima,Cork,Pune; amount books_per_year 1 90",
        ),
        (
            "WRITTEN_BY|AUTHORED_BY / Book Author many / written by|authored by / who wrote|who "
            "authored",
            "PUBLISHED_BY|ISSUED_BY / Book Publisher one / published by|issued by / that "
            "published|that issued",
            "SOLD_IN|STOCKED_BY / Book Bookshop many / sold in|stocked by / that sell|that stock",
            "WON|RECEIVED / Book Prize many / that won|that received / won by|given to",
            "INFLUENCED_BY / Author Author tree / influenced by|inspired by / who influenced|who "
            "inspired",
            "REVIEWED_BY|RATED_BY / Book Reader many / reviewed by|rated by / who reviewed|who "
            "rated",
            "SEQUEL_TO|CONTINUES / Book Book tree / that are sequels to|that carry on / that are "
            "prequels of|carried on by",
            "REPRESENTED_BY|SIGNED_TO / Author Publisher maybe / represented by|signed to / that "
            "represent|that signed",
            "SHOPS_AT|CUSTOMER_OF / Reader Bookshop maybe / shopping at|who buy from / visited "
            "by|with the customers",
            "FUNDED_BY / Prize Publisher one / funded by|paid by / that fund|that pay for",
        ),
    ),
    domain(
        "software",
        (
            "Project projects|Repository repositories / name / city:{}kit,lib{},{}flow / 4 / year "
            "started_in|start_year started 2000 2023; amount stars|star_count 5 90000; choice "
            "license MIT,Apache,GPL; flag is_archived that are archived|that are not archived; "
            "amount? downloads 100 90000",
            "Developer developers|Engineer engineers / name|username / person / 4 / year "
            "joined_in|join_year who joined 2005 2023; amount commits|commit_count 1 9000; choice "
            "timezone East,West,Central",
            "Team teams|Squad squads / name / city:Team {},{} Crew / 1 / amount budget 10 900; "
            "choice focus web,data,mobile,security; score velocity 1 10",
            "Bug bugs|Defect defects / summary / book:Crash in {},{} is slow,Wrong {} / 5 / "
            "amount votes|vote_count 1 400; choice severity low,medium,high,critical; year "
            "opened_in opened 2010 2023; flag is_fixed that are fixed|that are not fixed",
            "Release releases|Version versions / tag|name / city:{} Edition,{} Preview / 3 / year "
            "shipped_in|ship_year shipped 2005 2023; amount size_mb 1 900; score stability 1 10",
            "Server servers|Machine machines / hostname|name / language:{}-node,{}-box / 2 / "
            "amount memory_gb 4 512; choice region north,south,central; score load 0 10",
        ),
        (
            "CONTRIBUTES_TO|COMMITS_TO / Developer Project many / contributing to|committing to / "
            "with contributions of|with commits of",
            "REPORTED_BY|FILED_BY / Bug Developer one / reported by|filed by / who reported|who "
            "filed",
            "AFFECTS|FOUND_IN / Bug Project one / affecting|found in / affected by|with the bug",
            "ASSIGNED_TO|OWNED_BY / Bug Developer maybe / assigned to|owned by / in charge "
            "of|responsible for",
            "DEPENDS_ON|BUILDS_UPON / Project Project tree / depending on|building upon / "
            "required by|used by",
            "RELEASE_OF|VERSION_OF / Release Project one / released for|published for / with the "
            "release|published as",
            "MEMBER_OF|WORKS_IN / Developer Team maybe / working in|belonging to / joined by|made "
            "up of",
            "DEPLOYED_ON|RUNS_ON / Release Server many / deployed on|running on / that host|that "
            "serve",
            "MANAGED_BY|ADMINISTERED_BY / Server Team one / managed by|administered by / that "
            "manage|that administer",
            "DUPLICATES / Bug Bug tree / that duplicate|that repeat / duplicated by|repeated by",
        ),
    ),
    domain(
        "football",
        (
            "Player players|Footballer footballers / name / person / 5 / year birth_year born "
            "1975 2006; amount goals|goal_count 1 300; choice position "
            "keeper,defender,midfielder,striker; amount? market_value 10 90000; score form 1 10",
            "Side sides|FootballClub football clubs / name / team / 2 / year founded_in "
            "founded 1870 1990; amount members 100 90000; choice color red,blue,green,white",
            "Stadium stadiums|Ground grounds / name / city:{} Park,{} Arena / 1 / amount capacity "
            "2000 90000; year opened_in opened 1890 2020; flag has_roof with a roof|without a roof",
            "Coach coaches|HeadCoach head coaches / name / person / 2 / year licensed_in licensed "
            "1980 2020; amount trophies 1 40; choice style attacking,defensive,balanced",
            "Game games|Fixture fixtures / name|title / city:{} derby,{} clash,{} opener / 5 / "
            "year played_in|season played 2000 2023; amount attendance|spectators 200 90000; "
            "score excitement 1 10; choice competition league,cup,friendly",
            "Referee referees / name / person / 1 / year certified_in certified 1990 2020; amount "
            "cards|card_count 3 900; choice nationality Swiss,Ghanaian,Peruvian",
        ),
        (
            "PLAYS_FOR|SIGNED_BY / Player Side one / playing for|signed by / with the player|that "
            "signed",
            "HOME_SIDE|HOSTED_BY / Game Side one / hosted by|at the home of / that hosted|at "
            "home in",
            "GUEST_SIDE|VISITED_BY / Game Side one / visited by|with the guests / visiting|guests "
            "in",
            "SCORED_IN|FOUND_NET_IN / Player Game many / who scored in|who netted in / with goals "
            "of|decided by",
            "COACHED_BY|TRAINED_BY / Side Coach one / coached by|trained by / who coach|who train",
            "TOOK_PLACE_AT|PLAYED_AT / Game Stadium maybe / that took place at|played at / that "
            "saw|used for",
            "OFFICIATED_BY / Game Referee one / officiated by|refereed by / who officiated|who "
            "refereed",
            "ASSISTANT_OF|LEARNED_FROM / Coach Coach tree / who assisted|who learned from / "
            "assisted by|teaching",
            "OWNS|RENTS / Side Stadium many / that own|that possess / owned by|possessed by",
            "BOOKED_BY / Player Referee many / booked by|cautioned by / who booked|who cautioned",
        ),
    ),
    domain(
        "farming",
        (
            "Farm farms|Ranch ranches / name / city:{} Farm,{} Acres / 3 / amount area|hectares 5 "
            "2000; year established_in|founding_year established 1850 2015; choice climate "
            "dry,mild,wet; flag is_organic that are organic|that are not organic",
            "Farmer farmers|Grower growers / name / person / 3 / year birth_year born 1935 2000; "
            "amount income 10 400; choice education none,school,college",
            "Crop crops|Plant plants / name / language:{} wheat,{} bean,{} rice / 3 / amount "
            "yield_per_hectare|harvest 1 90; choice season spring,summer,autumn; amount "
            "water_need 10 900; score? hardiness 1 10",
            "Animal animals|Livestock livestock animals / name / city / 5 / year born_in born "
            "2008 2023; amount weight 2 900; choice species cow,sheep,goat,pig; flag "
            "is_vaccinated that are vaccinated|that are not vaccinated",
            "Tractor tractors|Vehicle vehicles / name / city:{} Hauler,{} Plough / 2 / amount "
            "horsepower 20 600; year bought_in|purchase_year bought 1985 2023; choice fuel "
            "diesel,gas,electric",
            "Market markets|Fair fairs / name / city:{} Market,{} Fair / 1 / amount stalls 5 300; "
            "choice weekday Monday,Friday,Sunday; score popularity 1 10",
        ),
        (
            "RUN_BY|MANAGED_BY / Farm Farmer one / run by|managed by / who run|who manage",
            "GROWS|CULTIVATES / Farm Crop many / growing|cultivating / grown on|cultivated by",
            "LIVES_ON|KEPT_ON / Animal Farm one / living on|kept on / that keep|that are home to",
            "OFFSPRING_OF|CHILD_OF / Animal Animal tree / that descend from|that are young of / "
            "that are forebears of|that raised",
            "SELLS_AT|SUPPLIES / Farm Market many / selling at|supplying / supplied by|with goods "
            "from",
            "OWNED_BY|BELONGS_TO / Tractor Farm one / belonging to|parked at / with the "
            "tractor|that possess",
            "LEARNED_FROM|APPRENTICE_OF / Farmer Farmer tree / who learned from|apprenticed to / "
            "who taught|who guided",
            "TRADED_AT / Crop Market many / traded at|on sale at / that trade|with stalls for",
            "CARED_FOR_BY|TENDED_BY / Animal Farmer maybe / cared for by|tended by / who care "
            "for|who tend",
            "DRIVEN_BY / Tractor Farmer maybe / driven by|steered by / who drive|who steer",
        ),
    ),
)
