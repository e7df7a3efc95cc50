package dev.distillery.training.rollout;

import dev.distillery.model.nn.Decoder;
import dev.distillery.training.run.MicroBatch;
import dev.distillery.training.run.Question;
import dev.distillery.training.run.TrainingObjective;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/** What policy and reference say of answers, micro-batch by micro-batch. */
record Say() implements Question<MicroBatch, Say.Of> {
  /** Of a micro-batch's answers. */
  record Of(ArrayList<Figures> answers) implements Serializable {}

  @Override
  public List<Of> answer(
      Decoder decoder, TrainingObjective.Computation computation, List<MicroBatch> group) {
    var work = (PolicyObjective.Work) computation;
    return group.stream().map(batch -> new Of(new ArrayList<>(work.say(batch)))).toList();
  }
}
