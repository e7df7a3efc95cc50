package dev.distillery.jobs.rate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.jobs.rate.RatingItem.Answer;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VoteTest {
  private static RatingItem item(RateForm form, int answers) {
    List<Answer> all = new ArrayList<>();
    for (int i = 0; i < answers; i++) {
      all.add(new Answer("text " + i, "model", i == 0 ? "a" : "b"));
    }
    return new RatingItem("i1", "row", form, "?", null, null, all, null, "s", "CC0-1.0");
  }

  private static String rule(RatingItem item, String line) {
    try {
      Vote.read(line).check(item);
      return "taken";
    } catch (Vote.RefusedException e) {
      assertThat(e.detail()).isNotBlank();
      return e.rule();
    }
  }

  /** Those who share a place have no order, nor have answers to questions; places have. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          true  | "ranking":[["2"],["4","1"],["3"]]                          | "ranking":[["2"],["1","4"],["3"]]
          false | "ranking":[["2"],["4","1"],["3"]]                          | "ranking":[["4","1"],["2"],["3"]]
          true  | "label":{"instruction_valid":"yes","output_right":"no"}    | "label":{"output_right":"no","instruction_valid":"yes"}
          false | "label":{"instruction_valid":"yes","output_right":"no"}    | "label":{"output_right":"yes","instruction_valid":"yes"}
          true  | "verdict":"1","shown_first":"2"                            | "verdict":"1"
          """)
  void decisionsAreEqualWhereWhatWasDecidedIs(boolean equal, String one, String other)
      throws Vote.RefusedException {
    assertThat(decision(one).equals(decision(other))).isEqualTo(equal);
  }

  private static String decision(String members) throws Vote.RefusedException {
    return Vote.read("{\"id\":\"i1\",\"judge\":\"ann\",\"form\":\"any\"," + members + "}")
        .decision();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          taken          | pairwise | {"id":"i1","judge":"ann","form":"pairwise","verdict":"1","shown_first":"2","seconds":1.5,"voted_at":"2026-01-31T12:00:00.123Z"}
          taken          | pairwise | {"id":"i1","judge":"ann","form":"pairwise","verdict":"both_bad"}
          bad_verdict    | pairwise | {"id":"i1","judge":"ann","form":"pairwise","verdict":"3"}
          bad_verdict    | pairwise | {"id":"i1","judge":"ann","form":"pairwise","verdict":1}
          bad_verdict    | pairwise | {"id":"i1","judge":"ann","form":"pairwise"}
          bad_verdict    | pairwise | {"id":"i1","judge":"ann","form":"pairwise","verdict":"1","shown_first":"a"}
          bad_verdict    | pairwise | {"id":"i1","judge":"ann","form":"pairwise","verdict":"1","text":"x"}
          wrong_form     | pairwise | {"id":"i1","judge":"ann","form":"rating","label":{"level":"a"}}
          wrong_form     | pairwise | {"id":"i1","judge":"ann","verdict":"1"}
          unknown_member | pairwise | {"id":"i1","judge":"ann","form":"pairwise","verdict":"1","comment":"x"}
          no_rater       | pairwise | {"id":"i1","judge":" ","form":"pairwise","verdict":"1"}
          no_item        | pairwise | {"judge":"ann","form":"pairwise","verdict":"1"}
          bad_time       | pairwise | {"id":"i1","judge":"ann","form":"pairwise","verdict":"1","seconds":-1}
          bad_time       | pairwise | {"id":"i1","judge":"ann","form":"pairwise","verdict":"1","voted_at":"noon"}
          unreadable     | pairwise | {"id":"i1","judge":"ann","form":"pairwise","verd
          unreadable     | pairwise | {"id":"i1","id":"i2","judge":"ann","form":"pairwise","verdict":"1"}
          unreadable     | pairwise | {"id":"i1","judge":"ann","form":"pairwise","verdict":"1"} {}
          unreadable     | pairwise | ["i1"]
          taken          | ranking  | {"id":"i1","judge":"ann","form":"ranking","ranking":[["2"],["4","1"],["3"]]}
          incomplete     | ranking  | {"id":"i1","judge":"ann","form":"ranking","ranking":[["2"],["4","1"]]}
          bad_verdict    | ranking  | {"id":"i1","judge":"ann","form":"ranking","ranking":[["2"],["4","1"],["3","2"]]}
          bad_verdict    | ranking  | {"id":"i1","judge":"ann","form":"ranking","ranking":[["5"]]}
          incomplete     | ranking  | {"id":"i1","judge":"ann","form":"ranking","ranking":"2"}
          bad_verdict    | ranking  | {"id":"i1","judge":"ann","form":"ranking","ranking":[["2"],["4","1"],["3"],"1"]}
          bad_verdict    | ranking  | {"id":"i1","judge":"ann","form":"ranking","ranking":{"first":["2","4","1","3"]}}
          bad_verdict    | ranking  | {"id":"i1","judge":"ann","form":"ranking","ranking":[["2"],["4","1"],{"third":"3"}]}
          taken          | audit    | {"id":"i1","judge":"ann","form":"audit","label":{"instruction_valid":"yes","input_fitting":"no","output_right":"no"}}
          incomplete     | audit    | {"id":"i1","judge":"ann","form":"audit","label":{"instruction_valid":"yes"}}
          bad_verdict    | audit    | {"id":"i1","judge":"ann","form":"audit","label":{"instruction_valid":"yes","input_fitting":"no","output_right":true}}
          bad_verdict    | audit    | {"id":"i1","judge":"ann","form":"audit","label":{"instruction_valid":"yes","input_fitting":"no","output_right":"no","x":"y"}}
          taken          | rating   | {"id":"i1","judge":"ann","form":"rating","label":{"level":"d"}}
          bad_verdict    | rating   | {"id":"i1","judge":"ann","form":"rating","label":{"level":"e"}}
          taken          | demonstration | {"id":"i1","judge":"ann","form":"demonstration","text":"Yes."}
          bad_verdict    | demonstration | {"id":"i1","judge":"ann","form":"demonstration","text":" "}
          bad_text       | demonstration | {"id":"i1","judge":"ann","form":"demonstration","text":"\\ud83d"}
          taken          | demonstration | {"id":"i1","judge":"ann","form":"demonstration","text":"\\ud83d\\ude00"}
          """)
  void aLineIsTakenOrRefusedByARule(String expected, String form, String line) {
    RateForm of = RateForm.of(form);
    assertThat(rule(item(of, of.fewest()), line)).isEqualTo(expected);
  }

  @Test
  void aTextThatIsTooLongIsRefused() {
    String long1 = "x".repeat((1 << 20) + 1);
    assertThat(
            rule(
                item(RateForm.DEMONSTRATION, 0),
                "{\"id\":\"i1\",\"judge\":\"ann\",\"form\":\"demonstration\",\"text\":\""
                    + long1
                    + "\"}"))
        .isEqualTo("bad_verdict");
  }

  @Property
  void whatIsWrittenIsReadBack(@ForAll boolean tie, @ForAll double seconds)
      throws Vote.RefusedException {
    double shown = Math.abs(seconds % 86_400);
    Vote vote =
        Vote.read(
            "{\"id\":\"i\",\"judge\":\"ann\\u2028\\\"b\",\"form\":\"pairwise\",\"verdict\":\""
                + (tie ? "tie" : "2")
                + "\",\"seconds\":"
                + (Double.isFinite(shown) ? shown : 0)
                + ",\"voted_at\":\"2026-01-31T12:00:00Z\"}");
    assertThat(Vote.read(vote.line())).isEqualTo(vote);
  }
}
