package dev.distillery.core.text;

import java.io.Serializable;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Replaces personal data and secrets in a text by typed placeholders, such as {@code [EMAIL]}. What
 * has check digits is checked by them, and what stands beside decides what looks alike: versions,
 * decimals, dates and ids stay. A second pass changes nothing.
 */
public final class Redactor implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Nothing of these continues a word to the left or right. */
  private static final String START = "(?<![\\p{L}\\p{N}_])";

  private static final Pattern KEY =
      Pattern.compile(
          "(?<![A-Za-z0-9_-])(?:"
              + "sk-[A-Za-z0-9_-]{20,200}"
              + "|(?:AKIA|ASIA)[0-9A-Z]{16}"
              + "|gh[pousr]_[A-Za-z0-9]{36,255}"
              + "|github_pat_[A-Za-z0-9_]{22,255}"
              + "|glpat-[A-Za-z0-9_-]{20,64}"
              + "|AIza[0-9A-Za-z_-]{35}"
              + "|ya29\\.[0-9A-Za-z_-]{20,500}"
              + "|xox[abeoprs]-[0-9A-Za-z-]{10,250}"
              + "|hf_[A-Za-z0-9]{30,64}"
              + "|npm_[A-Za-z0-9]{36}"
              + "|(?:sk|rk|pk)_(?:live|test)_[0-9A-Za-z]{16,250}"
              + "|SG\\.[A-Za-z0-9_-]{16,32}\\.[A-Za-z0-9_-]{32,64}"
              + "|eyJ[A-Za-z0-9_-]{10,2000}\\.eyJ[A-Za-z0-9_-]{10,4000}\\.[A-Za-z0-9_-]{10,2000}"
              + ")(?![A-Za-z0-9_-])"
              + "|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/=\\s:,-]{1,8000}?"
              + "-----END [A-Z ]{0,30}PRIVATE KEY-----");

  /** A name of a part of a page may begin as a key does; a key has a long run of both. */
  private static final Pattern RANDOM =
      Pattern.compile("(?=[A-Za-z_]*[0-9])(?=[0-9_]*[A-Za-z])\\w{16,}");

  /**
   * What a mailbox's name is made of beside signs. Words of scripts that are written without spaces
   * may stand right before an address and are none of it.
   */
  private static final String MAILBOX = "\\p{IsLatin}\\p{IsGreek}\\p{IsCyrillic}\\p{Mn}0-9";

  private static final Pattern EMAIL =
      Pattern.compile(
          "(?<!["
              + MAILBOX
              + "._%+-])["
              + MAILBOX
              + "](?:["
              + MAILBOX
              + "._%+'-]{0,62}["
              + MAILBOX
              + "_%+-])?@"
              + "((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.){1,8}[A-Za-z]{2,24})"
              + "(?![A-Za-z0-9@-]|\\.[A-Za-z0-9])");

  private static final Pattern IBAN =
      Pattern.compile(START + "[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,30}");

  private static final Pattern CARD =
      Pattern.compile(
          "(?<![\\p{L}\\p{N}_.,/+-])(?:[0-9]{13,19}|[0-9]{4}(["
              + " -])[0-9]{4}\\1[0-9]{4}\\1[0-9]{1,4}(?:\\1[0-9]{1,3})?|3[0-9]{3}(["
              + " -])[0-9]{6}\\2[0-9]{4,5})(?![\\p{L}\\p{N}_/-]|[.,][0-9])");

  private static final Pattern IPV4 =
      Pattern.compile(
          "(?<![\\p{L}\\p{N}_.-])(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}"
              + "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?![\\p{L}\\p{N}_-]|\\.[0-9])");

  /** Global addresses alone: those begin with 2 or 3. */
  private static final Pattern IPV6 =
      Pattern.compile(
          "(?<![\\p{L}\\p{N}_:.])[23][0-9a-fA-F]{3}(?::[0-9a-fA-F]{1,4}){7}(?![\\p{L}\\p{N}_:])"
              + "|(?<![\\p{L}\\p{N}_:.])[23][0-9a-fA-F]{3}(?::[0-9a-fA-F]{1,4}){1,6}::"
              + "(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,5})?(?![\\p{L}\\p{N}_:])");

  private static final String GAP = "[ .\u00a0-]?";

  /** Runs of digits are possessive: one of 40 could be parted in tens of thousands of ways. */
  static final Pattern PHONE =
      Pattern.compile(
          "(?<![\\p{L}\\p{N}_.+/=-])(?:"
              + "\\+[1-9][0-9]{0,3}(?:[ .\u00a0/-]?\\(?[0-9]{1,5}+\\)?){2,6}"
              + "|(?:1[ .-])?\\([2-9][0-9]{2}\\)[ .-]?[2-9][0-9]{2}[ .-][0-9]{4}"
              + "|(?:1[ .-])?[2-9][0-9]{2}([ .-])[2-9][0-9]{2}\\1[0-9]{4}"
              + ")(?![\\p{L}\\p{N}_/=-]|[.,][0-9])");

  static final Pattern AFTER_WORD =
      Pattern.compile(
          "(?i)(?<![\\p{L}\\p{N}_])(?:phone|telephone|tel|mobile|cell|fax|whatsapp|handy|telefon|"
              + "call|text|dial|ring)(?: (?:number|no|me|us|him|her|them|is|at|on)){0,3}[.:]{0,2} ?"
              + "(\\(?0?[0-9]{1,5}+\\)?(?:"
              + GAP
              + "[0-9]{1,5}+){1,5})(?![\\p{L}\\p{N}_/=-]|[.,][0-9])");

  private final EnumSet<PersonalData> kinds;

  /**
   * A text without what was asked for.
   *
   * @param counts replaced, by the kind's place
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
  public record Redacted(String text, long[] counts) {}

  /** A redactor of these kinds; of none it changes nothing. */
  public Redactor(Set<PersonalData> kinds) {
    this.kinds = EnumSet.noneOf(PersonalData.class);
    this.kinds.addAll(kinds);
  }

  /** The text with a placeholder in place of each find. */
  public Redacted redact(String text) {
    var counts = new long[PersonalData.values().length];
    String redacted = text;
    for (PersonalData kind : kinds) {
      redacted =
          switch (kind) {
            case KEY -> replace(redacted, kind, KEY, Redactor::isKey, counts);
            case EMAIL ->
                redacted.indexOf('@') < 0
                    ? redacted
                    : replace(redacted, kind, EMAIL, Redactor::isAddress, counts);
            case IBAN -> ibans(redacted, counts);
            case CARD -> replace(redacted, kind, CARD, Redactor::isCard, counts);
            case IP ->
                replace(
                    replace(redacted, kind, IPV4, Redactor::isPublic, counts),
                    kind,
                    IPV6,
                    (all, match) -> !match.group().startsWith("2001:db8:"),
                    counts);
            case PHONE ->
                behindWords(replace(redacted, kind, PHONE, Redactor::isPhone, counts), counts);
          };
    }
    return new Redacted(redacted, counts);
  }

  private static String replace(
      String text,
      PersonalData kind,
      Pattern pattern,
      BiPredicate<String, MatchResult> holds,
      long[] counts) {
    Matcher matcher = pattern.matcher(text);
    if (!matcher.find()) {
      return text;
    }
    var result = new StringBuilder();
    int from = 0;
    do {
      if (holds.test(text, matcher)) {
        result.append(text, from, matcher.start()).append(kind.placeholder());
        from = matcher.end();
        counts[kind.place()]++;
      }
    } while (matcher.find());
    return result.append(text, from, text.length()).toString();
  }

  private static boolean isKey(String text, MatchResult match) {
    String key = match.group();
    return !key.startsWith("sk-") || RANDOM.matcher(key.substring(3)).find();
  }

  /** None of these is a country's domain, as {@code py} and {@code md} are. */
  private static final Set<String> FILE_ENDINGS =
      Set.of(
          "png",
          "jpg",
          "jpeg",
          "gif",
          "svg",
          "webp",
          "css",
          "js",
          "ts",
          "json",
          "java",
          "txt",
          "html",
          "xml",
          "yaml",
          "yml",
          "service",
          "target",
          "local",
          "localhost");

  private static boolean isAddress(String text, MatchResult match) {
    String domain = match.group(1);
    String ending = domain.substring(domain.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    boolean remote = match.group().startsWith("git@") && follows(text, match.end(), ':');
    return !remote && !FILE_ENDINGS.contains(ending) && !match.group().contains("..");
  }

  private static boolean follows(String text, int at, char sign) {
    return at < text.length() && text.charAt(at) == sign;
  }

  /**
   * How long an account number may be differs by country: each length is tried from the longest.
   */
  private static String ibans(String text, long[] counts) {
    Matcher matcher = IBAN.matcher(text);
    var result = new StringBuilder();
    int from = 0;
    int at = 0;
    while (matcher.find(at)) {
      int end = ibanEnd(text, matcher.start(), matcher.end());
      if (end < 0) {
        at = matcher.start() + 2;
        continue;
      }
      result.append(text, from, matcher.start()).append(PersonalData.IBAN.placeholder());
      counts[PersonalData.IBAN.place()]++;
      from = end;
      at = end;
    }
    return from == 0 ? text : result.append(text, from, text.length()).toString();
  }

  private static int ibanEnd(String text, int start, int end) {
    for (int last = end; last - start >= 15; last--) {
      boolean wholeWord = last == text.length() || !Character.isLetterOrDigit(text.charAt(last));
      if (wholeWord
          && Character.isLetterOrDigit(text.charAt(last - 1))
          && CheckDigits.isIban(text.substring(start, last).replaceAll("[ -]", ""))) {
        return last;
      }
    }
    return -1;
  }

  private static final Pattern ID_BEFORE =
      Pattern.compile(
          "(?i)(?:\\b(?:id|ids|isbn|ean|upc|imei|order|invoice|ticket|tracking|serial|timestamp|sku)(?:"
              + " (?:number|no|code|is))?\\W{0,3}|#|=)$");

  private static boolean isCard(String text, MatchResult match) {
    String digits = match.group().replaceAll("[ -]", "");
    boolean plain = digits.length() == match.group().length();
    return CheckDigits.isCard(digits) && !(plain && ID_BEFORE.matcher(before(text, match)).find());
  }

  private static String before(String text, MatchResult match) {
    return text.substring(Math.max(0, match.start() - 24), match.start());
  }

  private static final Pattern VERSION_BEFORE =
      Pattern.compile(
          "(?i)(?:\\b(?:v|ver|version|versions|release|releases|build|firmware|driver|section|chapter|clause|figure|table|oid|update|upgrade"
              + " to|upgraded to)[ .:]{0,2}|[<>=~^§])$");

  private static final Pattern ADDRESS_BEFORE =
      Pattern.compile("(?i)\\b(?:ip|ips|address|host|server|dns|ping|from|at)\\W{0,3}$");

  private static boolean isPublic(String text, MatchResult match) {
    String before = before(text, match);
    String[] parts = match.group().split("\\.", -1);
    int a = Integer.parseInt(parts[0]);
    int b = Integer.parseInt(parts[1]);
    boolean inner =
        a == 0
            || a == 10
            || a == 127
            || a >= 224
            || (a == 100 && b >= 64 && b < 128)
            || (a == 169 && b == 254)
            || (a == 172 && b >= 16 && b < 32)
            || (a == 192 && b == 168)
            || (a == 192 && b == 0)
            || (a == 198 && (b == 18 || b == 19 || b == 51))
            || (a == 203 && b == 0 && parts[2].equals("113"));
    boolean small = match.group().length() == 7;
    return !inner
        && !VERSION_BEFORE.matcher(before).find()
        && (!small || ADDRESS_BEFORE.matcher(before).find());
  }

  private static boolean isPhone(String text, MatchResult match) {
    String digits = match.group().replaceAll("[^0-9]", "");
    if (!match.group().startsWith("+")) {
      return !ID_BEFORE.matcher(before(text, match)).find();
    }
    return digits.startsWith("1")
        ? digits.length() == 11
        : digits.length() >= 8 && digits.length() <= 15;
  }

  private static final Pattern DATE =
      Pattern.compile("[0-9]{4}[.-][0-9]{2}[.-][0-9]{2}|(?:[0-9]{1,2}[.-]){2}[0-9]{4}");

  /** Numbers in a form that many things have, behind a word that says which it is. */
  private static String behindWords(String text, long[] counts) {
    Matcher matcher = AFTER_WORD.matcher(text);
    var result = new StringBuilder();
    int from = 0;
    while (matcher.find()) {
      String number = matcher.group(1);
      int digits = number.replaceAll("[^0-9]", "").length();
      if (digits >= 7 && digits <= 15 && !DATE.matcher(number).matches()) {
        result.append(text, from, matcher.start(1)).append(PersonalData.PHONE.placeholder());
        counts[PersonalData.PHONE.place()]++;
        from = matcher.end(1);
      }
    }
    return from == 0 ? text : result.append(text, from, text.length()).toString();
  }
}
