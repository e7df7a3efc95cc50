package dev.distillery.core.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Tests a record of options: that its defaults are these and no others, and that every option can
 * be set to something else and arrives. Values stand a line each, {@code name value}.
 *
 * <pre>
 * OptionsKit.of(DedupOptions.class, RunOptions.class)
 *     .defaults("""
 *         input (required)
 *         threshold 0.7
 *         order-by (none)
 *         """)
 *     .arrive("""
 *         input a.jsonl
 *         threshold 0.8
 *         order-by score
 *         """);
 * </pre>
 *
 * @param <T> the record
 */
public final class OptionsKit<T extends Record> {
  private final OptionsBinder<T> binder;
  private final List<DeclaredOption> own;

  private OptionsKit(Class<T> type, List<Class<?>> testedElsewhere) {
    binder = OptionsBinder.of(type);
    var elsewhere =
        testedElsewhere.stream()
            .flatMap(group -> OptionsBinder.of(group.asSubclass(Record.class)).names().stream())
            .toList();
    own = binder.declared().stream().filter(option -> !elsewhere.contains(option.name())).toList();
  }

  /**
   * The kit of a record.
   *
   * @param testedElsewhere groups in the record that have a test of their own
   */
  public static <T extends Record> OptionsKit<T> of(Class<T> type, Class<?>... testedElsewhere) {
    return new OptionsKit<>(type, List.of(testedElsewhere));
  }

  /** All options with their defaults; {@code (required)} and {@code (none)} are words for none. */
  public OptionsKit<T> defaults(String lines) {
    assertThat(own.stream().collect(Collectors.toMap(DeclaredOption::name, OptionsKit::standing)))
        .isEqualTo(parse(lines));
    return this;
  }

  /** A value for every option that differs from its default; each must be there when bound. */
  public OptionsKit<T> arrive(String lines) {
    Map<String, String> values = parse(lines);
    assertThat(values).containsOnlyKeys(own.stream().map(DeclaredOption::name).toList());
    for (DeclaredOption option : own) {
      assertThat(values.get(option.name()))
          .as("The value of --" + option.name() + " differs from its default")
          .isNotEqualTo(standing(option));
      // A group's component may leave out the group's word: rank of --lora-rank.
      assertThat(option.name().replace("-", ""))
          .as("The component is called as its option")
          .endsWith(option.component().getName().toLowerCase(Locale.ROOT));
    }
    assertThat(binder.effective(binder.withoutRules(given(values)))).containsAllEntriesOf(values);
    return this;
  }

  /**
   * What each option means, by its name: type, bounds, default and description, for a comparison of
   * all jobs.
   */
  public static Map<String, String> meanings(Class<? extends Record> type) {
    return OptionsBinder.of(type).declared().stream()
        .collect(
            Collectors.toMap(
                DeclaredOption::name,
                option ->
                    option.component().getGenericType().getTypeName()
                        + " "
                        + standing(option)
                        + " "
                        + String.join(" ", option.describe()),
                (a, b) -> a,
                TreeMap::new));
  }

  /** A row of Markdown for each option: its name and value, and what help says of it. */
  public static String table(Class<? extends Record> type) {
    return OptionsBinder.of(type).declared().stream()
        .map(
            option ->
                "| `--"
                    + cell(option.name() + (option.flag() ? "" : " " + option.label()))
                    + "` | "
                    + cell(String.join(" ", option.describe()).replace("%%", "%"))
                    + " |\n")
        .collect(Collectors.joining());
  }

  /** The options that name, as what they have an effect with, one that the record has not. */
  public static List<String> danglingConditions(Class<? extends Record> type) {
    var binder = OptionsBinder.of(type);
    return binder.declared().stream()
        .flatMap(
            option ->
                option.conditions().stream()
                    .filter(only -> !binder.names().contains(DeclaredOption.bare(only.option())))
                    .map(only -> "--" + option.name() + " with " + only.option()))
        .toList();
  }

  private static String standing(DeclaredOption option) {
    Object value = option.defaultValue();
    if (value == null || (value.equals(List.of()) && option.required())) {
      return "(required)";
    }
    String text = OptionValues.text(value);
    return text.isEmpty() ? "(none)" : text.replace("\n", "\\n");
  }

  private static String cell(String text) {
    return text.replace("|", "\\|").replace("\n", " ");
  }

  private static Map<String, String> parse(String lines) {
    var values = new LinkedHashMap<String, String>();
    lines
        .lines()
        .filter(line -> !line.isBlank())
        .map(line -> line.strip().split(" +", 2))
        .forEach(
            words ->
                assertThat(values.put(words[0], words.length > 1 ? words[1] : ""))
                    .as("--" + words[0] + " stands once: " + Arrays.toString(words))
                    .isNull());
    return values;
  }

  private static Map<String, List<String>> given(Map<String, String> values) {
    var given = new LinkedHashMap<String, List<String>>();
    values.forEach((name, value) -> given.put(name, new ArrayList<>(List.of(value))));
    return given;
  }
}
