//! Honest sentences in ten languages, of which hardly any may be hit.

use crate::{
    evasion::rules_for_terms,
    house::{judge, ruleset, status},
};

/// Beginnings, middles and ends of sentences: any three of a language make one that somebody could have written.
type Parts = (&'static str, [&'static str; 8], [&'static str; 8], [&'static str; 6]);

const LANGUAGES: [Parts; 10] = [
    (
        "English",
        [
            "This morning",
            "On the occasion of her birthday",
            "In the 1st week of May",
            "After the storm",
            "Honestly,",
            "At 3pm sharp",
            "For the 2nd time this year",
            "With my sister's help",
        ],
        [
            "we walked along the river",
            "I fixed the old bicycle",
            "the C-3 bus was late again",
            "she read us a poem",
            "the cat caught a mouse",
            "our choir rehearsed in the town hall",
            "I upgraded to v4.6 without a hitch",
            "they planted 40 trees",
        ],
        [
            "and it was lovely.",
            "before breakfast.",
            "— what a day!",
            "(photos to follow).",
            "& then went home.",
            "for the first time.",
        ],
    ),
    (
        "German",
        [
            "Heute früh",
            "Zur großen Überraschung",
            "Am 1. Mai",
            "Nach dem Gewitter",
            "Ehrlich gesagt",
            "Um 8 Uhr",
            "Schöne Grüße:",
            "Mit Müh und Not",
        ],
        [
            "haben wir die Äpfel gepflückt",
            "fuhr der Zug pünktlich ab",
            "war das Straßenfest gut besucht",
            "kochte Oma Kürbissuppe",
            "schlief die Katze auf dem Ofen",
            "las ich ein Buch über Vögel",
            "übten wir vierstimmig im Chor",
            "reparierte er die S-Bahn-Uhr",
        ],
        [
            "und alle lachten.",
            "bei schönem Wetter.",
            "– herrlich!",
            "wie jedes Jahr.",
            "in aller Ruhe.",
            "ohne große Worte.",
        ],
    ),
    (
        "French",
        [
            "Ce matin",
            "À l'occasion de la fête",
            "L'été dernier",
            "Après l'orage",
            "Honnêtement,",
            "À 8h30",
            "Grâce à ma sœur",
            "Déjà en février",
        ],
        [
            "nous avons cueilli des cerises",
            "le garçon a réparé son vélo",
            "la forêt était pleine d'oiseaux",
            "j'ai lu un très beau poème",
            "le train est arrivé à l'heure",
            "ma grand-mère a préparé une soupe",
            "on a chanté jusqu'à minuit",
            "le chat a dormi près du poêle",
        ],
        [
            "et c'était magnifique.",
            "avant le déjeuner.",
            "— quelle journée !",
            "comme chaque année.",
            "sans se presser.",
            "où que ce soit.",
        ],
    ),
    (
        "Spanish",
        [
            "Esta mañana",
            "Con motivo de la fiesta",
            "El año pasado",
            "Después de la tormenta",
            "Sinceramente,",
            "A las 8 en punto",
            "Gracias a mi hermana",
            "¡Qué alegría!",
        ],
        [
            "caminamos junto al río",
            "el niño arregló su bicicleta",
            "leí un poema muy bonito",
            "la abuela cocinó una sopa",
            "el tren llegó a tiempo",
            "plantamos 40 árboles",
            "el gato cazó un ratón",
            "cantamos toda la noche en el salón",
        ],
        [
            "y fue precioso.",
            "antes del desayuno.",
            "— ¡qué día!",
            "como cada otoño.",
            "sin prisa.",
            "por primera vez.",
        ],
    ),
    (
        "Portuguese",
        [
            "Hoje de manhã",
            "Na ocasião do aniversário",
            "No verão passado",
            "Depois da tempestade",
            "Sinceramente,",
            "Às 8 horas",
            "Graças à minha irmã",
            "Já em fevereiro",
        ],
        [
            "fomos a pé até ao rio",
            "o menino consertou a bicicleta",
            "li um poema lindíssimo",
            "a avó fez uma sopa",
            "o comboio chegou à hora",
            "plantámos 40 árvores",
            "o gato apanhou um rato",
            "cantámos até à meia-noite no salão",
        ],
        [
            "e foi lindo.",
            "antes do almoço.",
            "— que dia!",
            "como todos os anos.",
            "sem pressa.",
            "pela primeira vez, não é?",
        ],
    ),
    (
        "Polish",
        [
            "Dziś rano",
            "Z okazji urodzin",
            "Zeszłego lata",
            "Po burzy",
            "Szczerze mówiąc,",
            "O 8 rano",
            "Dzięki mojej siostrze",
            "Już w lutym",
        ],
        [
            "spacerowaliśmy nad rzeką",
            "chłopiec naprawił rower",
            "przeczytałam piękny wiersz",
            "babcia ugotowała zupę",
            "pociąg przyjechał punktualnie",
            "posadziliśmy 40 drzew",
            "kot złapał mysz",
            "śpiewaliśmy do północy",
        ],
        [
            "i było cudownie.",
            "przed śniadaniem.",
            "— co za dzień!",
            "jak co roku.",
            "bez pośpiechu.",
            "po raz pierwszy.",
        ],
    ),
    (
        "Russian",
        [
            "Сегодня утром",
            "По случаю праздника",
            "Прошлым летом",
            "После грозы",
            "Честно говоря,",
            "В 8 часов",
            "С помощью сестры",
            "Оно и понятно:",
        ],
        [
            "мы гуляли вдоль реки",
            "мальчик починил велосипед",
            "я прочитала красивое стихотворение",
            "бабушка сварила суп",
            "поезд пришёл вовремя",
            "мы посадили 40 деревьев",
            "кот поймал мышь",
            "хор пел до полуночи, а ор стоял до рассвета",
        ],
        [
            "и было чудесно.",
            "до завтрака.",
            "— вот это день!",
            "как каждый год.",
            "не спеша.",
            "в первый раз.",
        ],
    ),
    (
        "Greek",
        [
            "Σήμερα το πρωί",
            "Με την ευκαιρία της γιορτής",
            "Πέρσι το καλοκαίρι",
            "Μετά την καταιγίδα",
            "Ειλικρινά,",
            "Στις 8 ακριβώς",
            "Με τη βοήθεια της αδελφής μου",
            "Ήδη τον Φεβρουάριο",
        ],
        [
            "περπατήσαμε δίπλα στο ποτάμι",
            "το παιδί έφτιαξε το ποδήλατο",
            "διάβασα ένα ωραίο ποίημα",
            "η γιαγιά έφτιαξε σούπα",
            "το τρένο ήρθε στην ώρα του",
            "φυτέψαμε 40 δέντρα",
            "η γάτα έπιασε ένα ποντίκι",
            "τραγουδήσαμε ως τα μεσάνυχτα",
        ],
        [
            "και ήταν υπέροχα.",
            "πριν το πρωινό.",
            "— τι μέρα!",
            "όπως κάθε χρόνο.",
            "χωρίς βιασύνη.",
            "για πρώτη φορά.",
        ],
    ),
    (
        "Japanese",
        [
            "今朝は",
            "誕生日なので",
            "去年の夏、",
            "嵐のあと、",
            "正直に言うと、",
            "8時ちょうどに",
            "妹のおかげで",
            "もう2月なのに",
        ],
        [
            "川沿いを歩きました",
            "古い自転車を直しました",
            "詩を読みました",
            "祖母がスープを作りました",
            "電車が時間通りに来ました",
            "木を40本植えました",
            "猫がネズミを捕まえました",
            "夜中まで合唱の練習をしました",
        ],
        [
            "。楽しかったです。",
            "。写真はあとで。",
            "！いい一日でした。",
            "。毎年のことです。",
            "。ゆっくりと。",
            "。初めてです。",
        ],
    ),
    (
        "Arabic",
        [
            "هذا الصباح",
            "بمناسبة العيد",
            "في الصيف الماضي",
            "بعد العاصفة",
            "بصراحة،",
            "في الساعة 8",
            "بمساعدة أختي",
            "في شهر فبراير",
        ],
        [
            "مشينا على ضفة النهر",
            "أصلح الولد الدراجة",
            "قرأت قصيدة جميلة",
            "طبخت جدتي الحساء",
            "وصل القطار في موعده",
            "زرعنا 40 شجرة",
            "أمسكت القطة بالفأر",
            "غنينا حتى منتصف الليل",
        ],
        [
            "وكان الأمر رائعا.",
            "قبل الفطور.",
            "— يا له من يوم!",
            "ككل عام.",
            "على مهل.",
            "للمرة الأولى.",
        ],
    ),
];

/// At most one in a thousand.
#[test]
fn honest_sentences_in_ten_languages_are_left_alone() {
    let ruleset = ruleset(&rules_for_terms());
    let (mut sentences, mut hit) = (0, Vec::new());
    for (language, beginnings, middles, ends) in LANGUAGES {
        for beginning in beginnings {
            for middle in middles {
                for end in ends {
                    let sentence = format!("{beginning} {middle} {end}");
                    sentences += 1;
                    if !judge(&ruleset, &status(&format!("<p>{sentence}</p>")))
                        .contributions
                        .is_empty()
                    {
                        hit.push(format!("{language}: {sentence}"));
                    }
                }
            }
        }
    }
    assert!(sentences >= 3_000, "{sentences}");
    assert!(hit.len() * 1_000 <= sentences, "{} of {sentences}: {hit:#?}", hit.len());
}
