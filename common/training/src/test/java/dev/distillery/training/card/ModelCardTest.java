package dev.distillery.training.card;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class ModelCardTest {
  @Test
  void aCardSaysWhoseDataItIsAndEscapesWhatOthersWrote() {
    var card =
        new ModelCard(
            "Fine-tuning",
            "models/base",
            Optional.of("apache-2.0"),
            List.of(
                new ModelCard.Source("alpaca", "CC-BY-NC-4.0", 52),
                new ModelCard.Source("my|rows<b>", "NOASSERTION", 3)),
            Map.of("learning-rate", "2e-5"),
            Map.of("loss", 1.5));
    card.addCurve(
        "loss",
        LongStream.rangeClosed(1, 100).mapToObj(i -> new ModelCard.Point(i, 1.0 / i)).toList());
    card.addSample(new ModelCard.Sample("Hi\n# not a heading", "a", "b"));

    String text = card.toMarkdown();

    assertThat(text)
        .startsWith("---\nbase_model: \"models/base\"\n")
        .contains("| alpaca | CC-BY-NC-4.0 | 52 | Name the source; no commercial use |")
        .contains("OpenAI models: its terms forbid training models that compete")
        .contains("| my\\|rows&lt;b> | NOASSERTION | 3 | not in the registry of sources |")
        .contains("| learning-rate | 2e-5 |")
        .contains("| 1 | 1.0 |")
        .contains("| 100 | 0.01 |")
        .contains("    Hi\n    # not a heading\n");
    assertThat(text.lines().filter(line -> line.matches("\\| \\d+ \\| [0-9.E-]+ \\|")).count())
        .isEqualTo(20);
  }
}
