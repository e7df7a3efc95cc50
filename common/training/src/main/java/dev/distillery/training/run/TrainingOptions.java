package dev.distillery.training.run;

import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.WithBuilder;

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
 * @param mlflow where its figures are shown beside its own files
 */
@WithBuilder
public record TrainingOptions(
    StudentOptions student,
    @OnlyWith(option = "--trainable", is = "lora") LoraOptions lora,
    OptimizerOptions optimizer,
    ScheduleOptions schedule,
    BatchOptions batch,
    SavingOptions saving,
    WorkerOptions workers,
    MlflowOptions mlflow) {
  /** Named setters over the declared defaults. */
  public static TrainingOptionsBuilder builder() {
    return TrainingOptionsBuilder.builder(OptionsBinder.defaults(TrainingOptions.class));
  }

  /** The rate that is trained with: the one given, else 1e-4 for adapters and 2e-5 for weights. */
  public double learningRate() {
    double usual = student.trainable() == StudentOptions.Trainable.LORA ? 1e-4 : 2e-5;
    return optimizer.learningRate().orElse(usual);
  }
}
