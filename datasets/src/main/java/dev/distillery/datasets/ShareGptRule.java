package dev.distillery.datasets;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * What may be done to ShareGPT's dialogues, each by itself. The first group is FastChat's cleaning
 * (clean_sharegpt and the scripts that follow it), the second Koala's. Rules that look at one
 * dialogue come before those that compare dialogues, so that none is dropped for the sake of one
 * that is dropped itself.
 */
public enum ShareGptRule {
  START_WITH_USER("A first turn that is not the user's is dropped"),
  END_WITH_ASSISTANT("A last turn that is the user's is dropped"),
  ALTERNATING_ROLES("Rejected unless user and assistant take turns strictly"),
  BLOCKED_WORDS("Rejected with 'openai' or 'chatgpt' anywhere in a turn, links included"),
  HTML_TO_MARKDOWN("HTML becomes Markdown, see --html"),
  PAGE_NOISE("Buttons and counters of the page are removed, code blocks repaired"),
  RATE_LIMIT_TEXT("Rejected with the page's message of too many requests as an answer"),
  TRUNCATE_AT_EMPTY(
      "Cut off before the first turn that is empty or begins with a control character"),
  MIN_LENGTH("Rejected with fewer than 16 characters in all turns"),
  PLUGINS("Rejected if the dialogue used plugins"),
  DUPLICATE_ID("A duplicate if an earlier dialogue has the same id"),
  DUPLICATE_FIRST_ROUND(
      "A duplicate if an earlier dialogue has the same first question and answer"),
  LIST_NUMBERING("Rejected if a list counts 1, 1"),
  REPEATED_DIGITS("Rejected if a digit stands nine times in a row"),

  KOALA_BLOCKED_WORDS("Rejected with one of Koala's eight names of OpenAI's products in a turn"),
  KOALA_COPY_CODE("The line 'Copy code' is removed from answers"),
  KOALA_ENGLISH("Rejected unless in English"),
  KOALA_DUPLICATE_QUERY(
      "A duplicate if an earlier dialogue begins with the same question, case and spaces aside");

  /** What FastChat does by default. */
  public static final Set<ShareGptRule> FASTCHAT =
      Set.copyOf(
          EnumSet.complementOf(
              EnumSet.of(
                  REPEATED_DIGITS,
                  KOALA_BLOCKED_WORDS,
                  KOALA_COPY_CODE,
                  KOALA_ENGLISH,
                  KOALA_DUPLICATE_QUERY)));

  /** What Koala did, on dialogues that are Markdown already or become it. */
  public static final Set<ShareGptRule> KOALA =
      Set.copyOf(
          EnumSet.of(
              START_WITH_USER,
              END_WITH_ASSISTANT,
              ALTERNATING_ROLES,
              HTML_TO_MARKDOWN,
              KOALA_BLOCKED_WORDS,
              KOALA_COPY_CODE,
              KOALA_ENGLISH,
              KOALA_DUPLICATE_QUERY));

  private final String description;

  ShareGptRule(String description) {
    this.description = description;
  }

  /** What the rule does, in a sentence. */
  public String description() {
    return description;
  }

  /** The name on the command line. */
  public String optionName() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * Reads a list of rules: {@code fastchat}, {@code koala}, {@code all} or {@code none}, then rules
   * by name, with a minus to switch one off. A list that begins with a minus takes from FastChat's.
   *
   * @param violations receives a sentence for each name that is not known
   */
  public static Set<ShareGptRule> parse(List<String> names, List<String> violations) {
    EnumSet<ShareGptRule> rules = EnumSet.noneOf(ShareGptRule.class);
    if (!names.isEmpty() && names.get(0).startsWith("-")) {
      rules.addAll(FASTCHAT);
    }
    for (String name : names) {
      boolean off = name.startsWith("-");
      Optional<Set<ShareGptRule>> named = named(off ? name.substring(1) : name);
      if (named.isEmpty()) {
        List<String> known = new ArrayList<>(List.of("fastchat", "koala", "all", "none"));
        Arrays.stream(values()).forEach(rule -> known.add(rule.optionName()));
        violations.add(
            "Option --rules: no rule is called '" + name + "'; known: " + String.join(", ", known));
      } else if (off) {
        rules.removeAll(named.get());
      } else {
        rules.addAll(named.get());
      }
    }
    return rules;
  }

  private static Optional<Set<ShareGptRule>> named(String name) {
    return switch (name) {
      case "fastchat" -> Optional.of(FASTCHAT);
      case "koala" -> Optional.of(KOALA);
      case "all" -> Optional.of(EnumSet.allOf(ShareGptRule.class));
      case "none" -> Optional.of(Set.of());
      default ->
          Arrays.stream(values())
              .filter(rule -> rule.optionName().equals(name))
              .findFirst()
              .map(Set::of);
    };
  }
}
