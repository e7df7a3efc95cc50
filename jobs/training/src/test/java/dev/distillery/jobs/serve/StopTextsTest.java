package dev.distillery.jobs.serve;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopTextsTest {
  @Test
  void whatMayBeginAStopTextIsHeldBack() {
    var stops = new StopTexts(List.of("END", "\n\n"));
    assertThat(stops.certain("abc", 0)).isEqualTo(3);
    assertThat(stops.certain("abcE", 3)).isEqualTo(3);
    assertThat(stops.certain("abcEN", 3)).isEqualTo(3);
    assertThat(stops.certain("abcENo", 3)).isEqualTo(6);
    assertThat(stops.certain("abc\n", 0)).isEqualTo(3);
    assertThat(stops.certain("abc\nEND", 3)).isEqualTo(4);
    assertThat(stops.certain("END", 0)).isZero();
    assertThat(new StopTexts(List.of()).certain("abc", 1)).isEqualTo(3);
  }

  /** Against the definition: the longest beginning that no continuation can take back. */
  @Test
  void piecesOfAnyLengthSayWhatStandsBeforeTheStop() {
    var random = new Random(5);
    for (int round = 0; round < 2000; round++) {
      var text = new StringBuilder();
      for (int i = random.nextInt(30); i >= 0; i--) {
        text.append((char) ('a' + random.nextInt(2)));
      }
      List<String> stops = List.of("ab".repeat(1 + random.nextInt(2)), "bba", "aaaa");
      var certain = new StopTexts(stops);
      int known = 0;
      int end = 0;
      boolean stopped = false;
      while (end < text.length() && !stopped) {
        end = Math.min(text.length(), end + 1 + random.nextInt(4));
        String now = text.substring(0, end);
        known = certain.certain(now, known);
        stopped = stops.stream().anyMatch(now::contains);
        int first =
            stops.stream().mapToInt(now::indexOf).filter(at -> at >= 0).min().orElse(now.length());
        assertThat(known).isLessThanOrEqualTo(first);
        if (!stopped) {
          assertThat(now.length() - known).isLessThan(4);
        }
      }
    }
  }
}
