package dev.distillery.training.rollout;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.training.reward.SharedReward;
import dev.distillery.training.tokens.AnswerEncoder;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.FlatMapFunction;

/** Answers as a reward model scores them, in their order, each by itself. */
final class ScoreSampled
    implements FlatMapFunction<Iterator<ScoreSampled.Asked>, ScoreSampled.Scored> {
  private static final long serialVersionUID = 1L;

  private final SharedReward.Access access;
  private final String template;
  private final TemplateInputs inputs;

  /**
   * An answer.
   *
   * @param turns of its prompt, role and content by turns
   * @param ended whether it ended by itself
   */
  record Asked(List<String> turns, String answer, boolean ended) implements Serializable {}

  /**
   * Its score.
   *
   * @param score not a number where it has none
   * @param trouble why; empty where it has one
   */
  record Scored(double score, String trouble) implements Serializable {
    static Scored none(String trouble) {
      return new Scored(Double.NaN, trouble);
    }
  }

  /**
   * @param template of the reward model; empty takes its own
   * @param inputs what its own is told beside the dialogue
   */
  ScoreSampled(SharedReward.Access access, String template, TemplateInputs inputs) {
    this.access = access;
    this.template = template;
    this.inputs = inputs;
  }

  @Override
  public Iterator<Scored> call(Iterator<Asked> asked) {
    if (!asked.hasNext()) {
      return Collections.emptyIterator();
    }
    AnswerEncoder encoder = access.encoder(template, inputs);
    List<Scored> scored = new ArrayList<>();
    while (asked.hasNext()) {
      scored.add(score(encoder, asked.next()));
    }
    return scored.iterator();
  }

  private Scored score(AnswerEncoder encoder, Asked asked) {
    List<Message> prompt = new ArrayList<>();
    for (int i = 0; i < asked.turns().size(); i += 2) {
      prompt.add(new Message(asked.turns().get(i), asked.turns().get(i + 1)));
    }
    try {
      AnswerEncoder.Answered answered =
          asked.ended()
              ? encoder.closed(prompt, asked.answer())
              : encoder.cut(prompt, asked.answer());
      return answered.hasAnswer()
          ? new Scored(access.score(List.of(answered.ids()))[0], "")
          : Scored.none("it has no token");
    } catch (IllegalArgumentException e) {
      return Scored.none(String.valueOf(e.getMessage()));
    }
  }
}
