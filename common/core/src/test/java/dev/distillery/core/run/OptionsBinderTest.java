package dev.distillery.core.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Option;

class OptionsBinderTest {
  enum Shape {
    ROUND,
    HALF_ROUND
  }

  record Nested(@Option(names = "--depth", defaultValue = "3") int depth) {}

  record Example(
      Nested nested,
      @Option(names = "--name") String name,
      @Option(names = "--shape", defaultValue = "half-round") Shape shape,
      @Option(names = "--ratio", defaultValue = "0.5") double ratio,
      @Tunable @Option(names = "--delay", defaultValue = "90s") Duration delay,
      @Option(names = "--loud", defaultValue = "false") boolean loud,
      @Option(names = "--note") Optional<String> note,
      @Option(names = "--columns", split = ",", defaultValue = "a,b") List<String> columns)
      implements Validated {
    @Override
    public List<String> violations() {
      return ratio > 1 ? List.of("Option --ratio: expected at most 1, found " + ratio) : List.of();
    }
  }

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
  void asksTheRecordForViolationsAcrossFields() {
    assertThatThrownBy(() -> binder.bind(Map.of("name", List.of("x"), "ratio", List.of("1.5"))))
        .hasMessage("Option --ratio: expected at most 1, found 1.5");
  }

  @Test
  void bindingItsOwnEffectiveValuesGivesTheSameRecord() {
    Example options =
        binder.bind(
            Map.of(
                "name", List.of("x"),
                "delay", List.of("1500ms"),
                "note", List.of("n"),
                "columns", List.of("c", "d,e")));
    var again = new java.util.HashMap<String, List<String>>();
    binder.effective(options).forEach((name, text) -> again.put(name, List.of(text)));
    assertThat(binder.bind(again)).isEqualTo(options);
  }

  @Test
  void tunableOptionsDecideNothing() {
    Example options = binder.bind(Map.of("name", List.of("x")));
    assertThat(binder.effective(options)).containsKey("delay");
    assertThat(binder.decisive(options)).doesNotContainKey("delay").containsEntry("depth", "3");
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
