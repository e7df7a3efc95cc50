package dev.distillery.core.filter;

import dev.distillery.core.run.Nearest;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The filters of a run, in their order: the first that objects drops the row, and later ones see
 * what earlier ones have left of it.
 */
public final class RowFilters implements Serializable {
  private static final long serialVersionUID = 1L;

  private final ArrayList<RowRule> rules;

  private RowFilters(List<RowRule> rules) {
    this.rules = new ArrayList<>(rules);
  }

  /** Gives the lines of a file that a filter names. */
  @FunctionalInterface
  public interface Files extends Function<String, List<String>> {}

  /** Every filter by its name, and how it is made. */
  private enum Kind {
    LENGTH,
    REFUSAL,
    BLOCKED,
    EMPTY_OUTPUT,
    NO_INPUT,
    PICTURE_LINK,
    MERGED_OUTPUT,
    WRONG_ARITHMETIC,
    UNFINISHED_CODE,
    ALPACA_CLEANED,
    GOPHER_REPETITION,
    GOPHER_QUALITY,
    C4,
    SCORE,
    LANGUAGE,
    URL;

    String optionName() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    List<RowRule> rules(FilterSpec spec, Files files) {
      return switch (this) {
        case LENGTH -> List.of(LengthRule.of(spec));
        case REFUSAL -> List.of(PhraseRule.of("refusal", RowText.Part.ANSWER, spec, files));
        case BLOCKED -> List.of(PhraseRule.of("blocked", RowText.Part.WHOLE, spec, files));
        case EMPTY_OUTPUT,
            NO_INPUT,
            PICTURE_LINK,
            MERGED_OUTPUT,
            WRONG_ARITHMETIC,
            UNFINISHED_CODE ->
            List.of(AlpacaDefect.valueOf(name()));
        case ALPACA_CLEANED -> List.of(AlpacaDefect.values());
        case GOPHER_REPETITION -> List.of(GopherRepetition.of(spec));
        case GOPHER_QUALITY -> List.of(GopherQuality.of(spec));
        case C4 -> List.of(C4Page.of(spec));
        case SCORE -> List.of(ScoreRule.of(spec));
        case LANGUAGE -> List.of(LanguageRule.of(spec));
        case URL -> List.of(UrlRule.of(spec));
      };
    }

    /** The tables whose rows have what the filter looks at; all where it is any text. */
    List<String> tables() {
      return switch (this) {
        case C4, URL -> List.of("documents");
        case SCORE -> List.of("documents", "preferences");
        case NO_INPUT -> List.of("instructions");
        default -> List.of();
      };
    }
  }

  /** The filters' names. */
  public static List<String> names() {
    return Stream.of(Kind.values()).map(Kind::optionName).toList();
  }

  /**
   * All that is wrong with filters as a user writes them.
   *
   * @param table the canonical table that they look at; empty where it is not known yet
   */
  public static List<String> violations(List<String> specs, Optional<String> table) {
    return violations(specs, table, file -> List.of("a phrase"));
  }

  /**
   * As {@link #violations(List, Optional)}, of the files that filters name too: one without any
   * phrase would do nothing.
   */
  public static List<String> violations(List<String> specs, Optional<String> table, Files files) {
    List<String> violations = new ArrayList<>();
    parse(specs, table, files, violations);
    return violations;
  }

  /**
   * Reads filters as a user writes them.
   *
   * @param specs each {@code NAME} or {@code NAME:key=value,...}
   * @throws IllegalArgumentException where one is none; {@link #violations} says why
   */
  public static RowFilters of(List<String> specs, Files files) {
    List<String> violations = new ArrayList<>();
    List<RowRule> rules = parse(specs, Optional.empty(), files, violations);
    if (!violations.isEmpty()) {
      throw new IllegalArgumentException(String.join("; ", violations));
    }
    return new RowFilters(rules);
  }

  /** The files that filters name. */
  public static List<String> files(List<String> specs) {
    return specs.stream().flatMap(spec -> new FilterSpec(spec).value("file").stream()).toList();
  }

  private static List<RowRule> parse(
      List<String> specs, Optional<String> table, Files files, List<String> violations) {
    List<RowRule> rules = new ArrayList<>();
    for (String text : specs) {
      var spec = new FilterSpec(text);
      Optional<Kind> kind =
          Arrays.stream(Kind.values()).filter(k -> k.optionName().equals(spec.name())).findFirst();
      if (kind.isEmpty()) {
        violations.add(
            "Option --filter: no filter is called '"
                + spec.name()
                + "'"
                + Nearest.to(spec.name(), names())
                    .map(near -> "; did you mean " + near + "?")
                    .orElse("; known: " + String.join(", ", names())));
        continue;
      }
      rules.addAll(kind.get().rules(spec, files));
      List<String> takes = kind.get().tables();
      table
          .filter(name -> !takes.isEmpty() && !takes.contains(name))
          .ifPresent(
              name ->
                  spec.wrong(
                      "expected the table " + String.join(" or ", takes) + ", found " + name));
      violations.addAll(spec.violations());
    }
    return rules;
  }

  /** Whether there is none. */
  public boolean isEmpty() {
    return rules.isEmpty();
  }

  /** What the filters say of a row together. */
  public Judged judge(RowText row) {
    Judged judged = Judged.kept(row);
    for (RowRule rule : rules) {
      judged = rule.judge(judged.row());
      if (judged.objection().isPresent()) {
        return judged;
      }
    }
    return judged;
  }
}
