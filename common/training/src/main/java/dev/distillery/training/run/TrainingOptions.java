package dev.distillery.training.run;

import dev.distillery.core.run.Validated;
import java.util.ArrayList;
import java.util.List;

/**
 * What all training jobs can be told. A job holds this record as a component beside {@code
 * RunOptions} and its own.
 *
 * @param student the model, what of it is trained, where it is written
 * @param lora the adapters, where they are what is trained
 * @param optimizer AdamW
 * @param schedule how long, and the rate over that time
 * @param batch what a step is made of
 * @param saving evaluation and checkpoints
 * @param workers who computes
 */
public record TrainingOptions(
    StudentOptions student,
    LoraOptions lora,
    OptimizerOptions optimizer,
    ScheduleOptions schedule,
    BatchOptions batch,
    SavingOptions saving,
    WorkerOptions workers)
    implements Validated {

  @Override
  public List<String> violations() {
    var violations = new ArrayList<String>();
    violations.addAll(student.violations());
    violations.addAll(lora.violations());
    violations.addAll(optimizer.violations());
    violations.addAll(schedule.violations());
    violations.addAll(batch.violations());
    violations.addAll(saving.violations());
    violations.addAll(workers.violations());
    if (student.adapter().isPresent() && student.trainable() != StudentOptions.Trainable.LORA) {
      violations.add("Option --adapter goes on training an adapter: give --trainable lora too");
    }
    return violations;
  }

  /** The rate that is trained with: the one given, else 1e-4 for adapters and 2e-5 for weights. */
  public double learningRate() {
    double usual = student.trainable() == StudentOptions.Trainable.LORA ? 1e-4 : 2e-5;
    return optimizer.learningRate().orElse(usual);
  }
}
