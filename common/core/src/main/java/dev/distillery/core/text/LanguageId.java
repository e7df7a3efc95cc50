package dev.distillery.core.text;

import java.lang.Character.UnicodeScript;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Tells the language of a text from its script and, where several share one, from its commonest
 * words or letters. Meant for dropping or keeping whole dialogues: it knows some thirty languages,
 * reads the first {@value #MAX_CHARS} characters outside of code blocks, and is silent where it has
 * no reason to say anything.
 */
public final class LanguageId {
  private static final int MAX_CHARS = 8_000;

  /** A sign of these writes about as much as this many letters of an alphabet. */
  private static final int SIGN_WEIGHT = 3;

  /** Least share of a text's words that must be known, to name a language in Latin letters. */
  private static final double MIN_KNOWN_WORDS = 0.04;

  private static final Map<String, String> WORDS =
      Map.ofEntries(
          Map.entry(
              "en",
              "the of and to in is that for it with as was on are be this you have from or by an at"
                  + " not we can what how your will which if do give write make my me about use i a"
                  + " list name find explain describe create generate given following between"),
          Map.entry(
              "fr",
              "le la les des et est un une du que qui dans pour pas sur avec ce il elle je vous nous"
                  + " au aux par plus sont cette ou mais être comme tout comment quel quelle"),
          Map.entry(
              "de",
              "der die das und ist ein eine nicht mit von zu den auf für im sich dem auch als es ich"
                  + " sie wir des werden wie einen oder aus bei nach kann sind wird was"),
          Map.entry(
              "es",
              "el la los las de y que en un una es se no por con para su como más del al lo pero sus"
                  + " le este esta son ser qué cómo también cuando muy hay puede"),
          Map.entry(
              "pt",
              "o os as um uma de e que em não para com por do da dos das no na se mais como mas ao"
                  + " você ser são é está isso também pode à foi sua seu"),
          Map.entry(
              "it",
              "il lo gli di e che un una per non con del della è sono si da in come anche più alla"
                  + " nel dei delle questo questa ma le io ho quali puoi essere"),
          Map.entry(
              "nl",
              "de het een en van is dat niet te met voor op zijn aan er ook als maar bij naar je ik"
                  + " wordt deze kan die wat hoe om of worden dit"),
          Map.entry(
              "pl",
              "i w nie na się z że do jest to jak o co ale po od za dla czy są przez może tego jako"
                  + " oraz które lub być"),
          Map.entry(
              "sv",
              "och att det som en är på för inte med av jag till har den ett om kan de så men var"
                  + " från eller också när du hur vad"),
          Map.entry(
              "da",
              "og at det er en til på for ikke med af jeg den som har de kan et om så men var fra"
                  + " eller også når hvad hvordan blive"),
          Map.entry(
              "nb",
              "og å det er en til på for ikke med av jeg den som har de kan et om så men var fra"
                  + " eller også når hva hvordan bli"),
          Map.entry(
              "fi",
              "ja on ei se että hän ovat oli mutta kun niin kuin myös tai joka jos voi mitä miten"
                  + " olla tämä sen ne"),
          Map.entry(
              "tr",
              "ve bir bu için de da ile ne çok daha olarak gibi olan ama var mi en kadar sonra nasıl"
                  + " ben sen değil veya"),
          Map.entry(
              "vi",
              "và của là có cho không được các trong với một người những để khi này đã từ đến như"
                  + " tôi bạn về"),
          Map.entry(
              "id",
              "yang dan di untuk dengan dari ini itu pada tidak adalah dalam akan juga ke saya atau"
                  + " bisa ada apa anda sebagai"),
          Map.entry(
              "ro",
              "și în de la cu pe este nu un o să care din pentru mai sunt ce fi prin sau dar au"),
          Map.entry(
              "cs", "a se v na je že to s z do o i jak ale po pro by jsou které nebo být jako tak"),
          Map.entry("hu", "a az és hogy nem is egy van ez de meg mint csak már volt kell vagy ki"));

  private static final Map<String, Set<String>> LANGUAGES_OF_WORD = languagesOfWord();

  private LanguageId() {}

  /** The ISO 639-1 code of the language that most of {@code text} is in, if that can be told. */
  public static Optional<String> detect(String text) {
    String prose = prose(text);
    Map<UnicodeScript, Integer> scripts = new HashMap<>();
    int latin = 0;
    for (int i = 0; i < prose.length(); i++) {
      char c = prose.charAt(i);
      if (c < 0x250) {
        latin += Character.isLetter(c) ? 1 : 0;
      } else if (Character.isLetter(c) || Character.isHighSurrogate(c)) {
        int point = prose.codePointAt(i);
        UnicodeScript script = UnicodeScript.of(point);
        scripts.merge(script, isSign(script) ? SIGN_WEIGHT : 1, Integer::sum);
      }
    }
    latin += scripts.getOrDefault(UnicodeScript.LATIN, 0);
    scripts.remove(UnicodeScript.LATIN);
    scripts.remove(UnicodeScript.COMMON);
    scripts.remove(UnicodeScript.INHERITED);
    UnicodeScript most = UnicodeScript.LATIN;
    int count = latin;
    int kana =
        scripts.getOrDefault(UnicodeScript.HIRAGANA, 0)
            + scripts.getOrDefault(UnicodeScript.KATAKANA, 0);
    int han = scripts.getOrDefault(UnicodeScript.HAN, 0);
    if (han + kana > count) {
      // Japanese is written in three scripts at once.
      most = kana * 10 > han ? UnicodeScript.HIRAGANA : UnicodeScript.HAN;
      count = han + kana;
    }
    for (Map.Entry<UnicodeScript, Integer> script : scripts.entrySet()) {
      if (script.getValue() > count) {
        most = script.getKey();
        count = script.getValue();
      }
    }
    return count == 0 ? Optional.empty() : language(most, prose);
  }

  private static Optional<String> language(UnicodeScript script, String text) {
    return switch (script) {
      case LATIN -> inLatinLetters(text);
      case HAN -> Optional.of("zh");
      case HIRAGANA, KATAKANA -> Optional.of("ja");
      case HANGUL -> Optional.of("ko");
      case CYRILLIC -> Optional.of(inCyrillicLetters(text));
      case ARABIC -> Optional.of(inArabicLetters(text));
      case GREEK -> Optional.of("el");
      case HEBREW -> Optional.of("he");
      case THAI -> Optional.of("th");
      case DEVANAGARI -> Optional.of("hi");
      case BENGALI -> Optional.of("bn");
      case TAMIL -> Optional.of("ta");
      case TELUGU -> Optional.of("te");
      case GEORGIAN -> Optional.of("ka");
      case ARMENIAN -> Optional.of("hy");
      default -> Optional.empty();
    };
  }

  private static boolean isSign(UnicodeScript script) {
    return switch (script) {
      case HAN, HIRAGANA, KATAKANA, HANGUL -> true;
      default -> false;
    };
  }

  private static String inCyrillicLetters(String text) {
    if (containsAny(text, "іїєґІЇЄҐ")) {
      return "uk";
    }
    // Bulgarian has the hard sign inside of common words and lacks these two letters of Russian.
    return containsAny(text, "ъЪ") && !containsAny(text, "ыэЫЭ") ? "bg" : "ru";
  }

  private static String inArabicLetters(String text) {
    if (containsAny(text, "ٹڈےں")) {
      return "ur";
    }
    return containsAny(text, "پچژگ") ? "fa" : "ar";
  }

  private static boolean containsAny(String text, String letters) {
    return letters.chars().anyMatch(letter -> text.indexOf(letter) >= 0);
  }

  private static Optional<String> inLatinLetters(String text) {
    Map<String, Integer> hits = new HashMap<>();
    int words = 0;
    int start = -1;
    for (int i = 0; i <= text.length(); i++) {
      boolean letter = i < text.length() && Character.isLetter(text.charAt(i));
      if (letter && start < 0) {
        start = i;
      } else if (!letter && start >= 0) {
        words++;
        String word = text.substring(start, i).toLowerCase(Locale.ROOT);
        for (String language : LANGUAGES_OF_WORD.getOrDefault(word, Set.of())) {
          hits.merge(language, 1, Integer::sum);
        }
        start = -1;
      }
    }
    double least = Math.max(1, words * MIN_KNOWN_WORDS);
    return hits.entrySet().stream()
        .filter(hit -> hit.getValue() >= least)
        .max(
            Map.Entry.<String, Integer>comparingByValue()
                .thenComparing(Map.Entry.<String, Integer>comparingByKey().reversed()))
        .map(Map.Entry::getKey);
  }

  /** The beginning of a text without its fenced code: programs are written in English. */
  private static String prose(String text) {
    StringBuilder prose = new StringBuilder();
    int at = 0;
    while (at < text.length() && prose.length() < MAX_CHARS) {
      int fence = text.indexOf("```", at);
      int end = fence < 0 ? text.length() : fence;
      prose.append(text, at, Math.min(end, at + MAX_CHARS - prose.length()));
      int close = fence < 0 ? -1 : text.indexOf("```", fence + 3);
      at = close < 0 ? text.length() : close + 3;
    }
    return prose.toString();
  }

  private static Map<String, Set<String>> languagesOfWord() {
    Map<String, Set<String>> languages = new HashMap<>();
    WORDS.forEach(
        (language, words) -> {
          for (String word : words.split(" ", -1)) {
            languages.computeIfAbsent(word, unused -> new TreeSet<>()).add(language);
          }
        });
    return languages;
  }
}
