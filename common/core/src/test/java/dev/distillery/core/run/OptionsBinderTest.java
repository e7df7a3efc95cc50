package dev.distillery.core.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

class OptionsBinderTest {
  enum Shape {
    ROUND,
    HALF_ROUND
  }

  record Nested(@Option(names = "--depth", defaultValue = "3") int depth) implements Validated {
    @Override
    public List<String> violations() {
      return depth == 13 ? List.of("Option --depth: found the 13th") : List.of();
    }
  }

  @RemovedOption(name = "--size", instead = "use --depth")
  record Example(
      @OnlyWith(option = "--shape", is = "round") Nested nested,
      @Required("say who it is") @Option(names = "--name", description = "Who.") String name,
      @Option(names = "--shape", defaultValue = "half-round", description = "Form.") Shape shape,
      @Bounds(above = 0, atMost = 1)
          @Option(names = "--ratio", defaultValue = "0.5", description = "Share.")
          double ratio,
      @Tunable @Option(names = "--delay", defaultValue = "90s") Duration delay,
      @Option(names = "--loud", defaultValue = "false") boolean loud,
      @Bounds(
              oneOf = {"dull", "shiny"},
              advice = "dull is cheaper")
          @OldNames("--remark")
          @Option(names = "--note")
          Optional<String> note,
      @Option(names = "--columns", split = ",", defaultValue = "a,b") List<String> columns) {}

  private final OptionsBinder<Example> binder = OptionsBinder.of(Example.class);

  @Test
  void fillsWhatIsNotGivenWithDefaults() {
    assertThat(binder.bind(Map.of("name", List.of("x"))))
        .isEqualTo(
            new Example(
                new Nested(3),
                "x",
                Shape.HALF_ROUND,
                0.5,
                Duration.ofSeconds(90),
                false,
                Optional.empty(),
                List.of("a", "b")));
  }

  @Test
  void listsEveryWrongValueAtOnce() {
    assertThatThrownBy(
            () ->
                binder.bind(
                    Map.of(
                        "depth", List.of("deep"),
                        "shape", List.of("half-rund"),
                        "delay", List.of("soon"),
                        "ratio", List.of("NaN"))))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("5 problems")
        .hasMessageContaining("Option --depth: expected a whole number, found 'deep'")
        .hasMessageContaining("found 'half-rund'; did you mean half-round?")
        .hasMessageContaining("Option --delay: expected a time such as 500ms")
        .hasMessageContaining("Option --ratio: expected a number, found 'NaN'")
        .hasMessageContaining("Option --name is required");
  }

  @Test
  void refusesWhatIsOutsideItsBounds() {
    assertThatThrownBy(
            () ->
                binder.bind(
                    Map.of("name", List.of(" "), "ratio", List.of("0"), "note", List.of("shinny"))))
        .hasMessageContaining("3 problems")
        .hasMessageContaining("Option --name: expected a text, found ''; say who it is")
        .hasMessageContaining("Option --ratio: expected above 0 and at most 1, found 0.0")
        .hasMessageContaining(
            "Option --note: expected one of dull, shiny, found 'shinny'; did you mean shiny?; dull"
                + " is cheaper");
    assertThatThrownBy(() -> binder.bind(Map.of()))
        .hasMessage("Option --name is required: say who it is");
  }

  @ParameterizedTest
  @CsvSource({
    "-1, '1 or more'",
    "0, '1 or more'",
    "1, ''",
    "2, ''",
    "11, '1 to 9'",
    "9, ''",
    "20.5, '10 to'"
  })
  void boundsHaveTwoEnds(double value, String expected) {
    record Ends(
        @Bounds(atLeast = 1) @Option(names = "--a") Optional<Double> a,
        @Bounds(atLeast = 1, atMost = 9) @Option(names = "--b") List<Double> b,
        @Bounds(atLeast = 1, below = 20) @Option(names = "--c") Optional<Duration> c) {}
    var binder = OptionsBinder.of(Ends.class);
    String name = value < 3 ? "a" : value < 20 ? "b" : "c";
    String text = name.equals("c") ? (long) (value * 1000) + "ms" : String.valueOf(value);
    String wanted =
        expected.startsWith("10 to")
            ? "Option --c: expected 1s or more and below 20s, found 20500ms"
            : "Option --" + name + ": expected " + expected + ", found " + value;
    assertThat(binder.violations(Map.of(name, List.of(text))))
        .isEqualTo(expected.isEmpty() ? List.of() : List.of(wanted));
  }

  @Test
  void asksEachRecordForItsOwnRules() {
    assertThat(
            binder.violations(
                Map.of(
                    "name", List.of("x"),
                    "shape", List.of("round"),
                    "depth", List.of("13"),
                    "ratio", List.of("2"))))
        .containsExactly(
            "Option --depth: found the 13th",
            "Option --ratio: expected above 0 and at most 1, found 2.0");
  }

  @Test
  void refusesWhatHasNoEffect() {
    assertThat(binder.violations(Map.of("name", List.of("x"), "depth", List.of("4"))))
        .containsExactly(
            "Option --depth: expected only with --shape round, found --shape half-round; leave it"
                + " out");
    assertThat(
            binder.violations(
                Map.of("name", List.of("x"), "depth", List.of("4"), "shape", List.of("round"))))
        .isEmpty();
  }

  @Test
  void checksARecordByTheSameRules() {
    var wrong =
        new Example(
            new Nested(13),
            "",
            Shape.HALF_ROUND,
            0,
            Duration.ZERO,
            false,
            Optional.of("x"),
            List.of());
    assertThatThrownBy(() -> binder.check(wrong))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("5 problems");
    binder.check(binder.bind(Map.of("name", List.of("x"))));
  }

  @Test
  void takesFormerNamesWithAWarning() {
    Map<String, List<String>> old = Map.of("name", List.of("x"), "remark", List.of("dull"));
    assertThat(binder.bind(old).note()).contains("dull");
    assertThat(binder.warnings(old))
        .containsExactly(
            "Option --remark is now called --note; the old name will go in the next minor version");
    assertThat(binder.knownNames()).contains("remark", "size").containsAll(binder.names());
    assertThat(
            binder.violations(
                Map.of(
                    "name", List.of("x"),
                    "remark", List.of("dull"),
                    "note", List.of("dull"),
                    "size", List.of("3"))))
        .containsExactlyInAnyOrder(
            "Option --note: expected one name, found its old one too; leave the old one out",
            "Option --size is no more; use --depth");
  }

  @Test
  void helpPrintsBoundsConditionsAndDefaults() {
    var command = CommandSpec.create();
    binder.addTo(command);
    assertThat(new CommandLine(command).getUsageMessage())
        .contains("--ratio=VALUE", "Share. (above 0 and at most 1; default: 0.5)")
        .contains("--shape=round|half-round", "Form. (default: half-round)")
        .contains("--note=dull|shiny")
        .doesNotContain("remark", "size");
  }

  @Test
  void bindingItsOwnEffectiveValuesGivesTheSameRecord() {
    Example options =
        binder.bind(
            Map.of(
                "name", List.of("x"),
                "delay", List.of("1500ms"),
                "note", List.of("shiny"),
                "columns", List.of("c", "d,e")));
    var again = new java.util.HashMap<String, List<String>>();
    binder.effective(options).forEach((name, text) -> again.put(name, List.of(text)));
    assertThat(binder.bind(again)).isEqualTo(options);
  }

  record Listed(@Option(names = "--stop") List<String> stop) {}

  @Test
  void noTwoListsAreWrittenTheSame() {
    var lists = OptionsBinder.of(Listed.class);
    var texts = new java.util.HashSet<String>();
    List<List<String>> different =
        List.of(
            List.of("a,b"),
            List.of("a", "b"),
            List.of("\"a", "b\""),
            List.of("\"a\",b"),
            List.of(""),
            List.of(),
            List.of("", ""),
            List.of("a\\"));
    different.forEach(stop -> texts.add(lists.decisive(new Listed(stop)).get("stop")));
    assertThat(texts).hasSameSizeAs(different).contains("a,b", "\"a,b\"");
  }

  @Test
  void tunableOptionsDecideNothing() {
    Example options = binder.bind(Map.of("name", List.of("x")));
    assertThat(binder.effective(options)).containsKey("delay");
    assertThat(binder.decisive(options)).doesNotContainKey("delay").containsEntry("depth", "3");
  }

  /** As a version would have recorded it that had no --shape, and called a note a remark. */
  @Test
  void anOptionThatAnEarlierRunDidNotHaveHadItsDefault() {
    Map<String, String> earlier =
        Map.of(
            "name", "x", "ratio", "0.5", "delay", "1s", "remark", "dull", "words content", "abc");
    assertThat(binder.decisiveOf(earlier))
        .containsOnlyKeys(
            "name", "ratio", "note", "depth", "shape", "loud", "columns", "words content")
        .containsEntry("note", "dull")
        .containsEntry("shape", "half-round")
        .containsEntry("depth", "3")
        .containsEntry("columns", "a,b");
  }

  @Test
  void refusesTwoOptionsOfOneName() {
    record Twice(
        @Option(names = "--a", defaultValue = "1") int a,
        @Option(names = "--a", defaultValue = "1") int b) {}
    assertThatThrownBy(() -> OptionsBinder.of(Twice.class))
        .hasMessage("Two options are called --a");
  }
}
