package dev.distillery.jobs.judge;

import dev.distillery.core.prompt.PromptTemplate;
import dev.distillery.core.teacher.FinishReasons;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A judge's reply, the prompt and two answers, a line of two percent signs between them: a verdict,
 * or the rule by which there is none. What is shown hides verdicts and makes none.
 */
public final class VerdictFuzz {
  private static final List<Questions> FORMS = new ArrayList<>();

  static {
    for (JudgeForm form : JudgeForm.values()) {
      FORMS.add(
          new Questions(
              form,
              Collections.<@Nullable String>singletonList(null),
              new JudgePrompt(new PromptTemplate("{{prompt}} [[A]]")),
              "m",
              "m",
              JudgeOptions.MAX_NEW_TOKENS,
              0,
              "{}",
              true,
              0));
    }
  }

  private VerdictFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) {
    String[] texts = new String(data, StandardCharsets.UTF_8).split("\n%%\n", 4);
    String[] all = {texts[0], "?", "Lima.", "Quito."};
    System.arraycopy(texts, 0, all, 0, texts.length);
    for (Questions questions : FORMS) {
      var marker = questions.form().marker();
      Optional<String> plain = VerdictReader.read(all[0], marker, List.of(), true);
      for (boolean whole : new boolean[] {false, true}) {
        List<String> shown = List.of(all[1], all[2], all[3]);
        Optional<String> found = VerdictReader.read(all[0], marker, shown, whole);
        if (found.isPresent() && !found.equals(plain)) {
          throw new IllegalStateException(found + " where the last is " + plain);
        }
      }
      judge(questions, all);
    }
  }

  private static void judge(Questions questions, String[] texts) {
    boolean compares = questions.form().compares();
    var item =
        new JudgedItem(
            "1",
            texts[1],
            "m",
            texts[2],
            compares ? "n" : null,
            compares ? texts[3] : null,
            "s",
            "l");
    for (String ended : new String[] {FinishReasons.STOP, FinishReasons.LENGTH, "unknown"}) {
      Map<String, Judgement.Reply> replies = new HashMap<>();
      for (Questions.Question question : questions.about(item, null)) {
        replies.put(question.request().requestId(), new Judgement.Reply(texts[0], ended, 1, null));
      }
      check(questions.form(), Judgement.of(questions, item, null, replies).orElseThrow());
    }
  }

  private static void check(JudgeForm form, Judgement judgement) {
    String verdict = judgement.verdict();
    Double score = judgement.score();
    boolean decided = form.compares() ? verdict != null : score != null;
    if (decided == (judgement.rule() != null)
        || (verdict != null && !List.of("a", "b", "tie").contains(verdict))
        || (score != null && !(score >= 1 && score <= 10))) {
      throw new IllegalStateException("Neither a verdict nor a rule: " + judgement);
    }
  }
}
