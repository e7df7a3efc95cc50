package dev.distillery.training.run;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.WithBuilder;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * The model, what of it is trained, and where the result goes.
 *
 * @param model directory or file that training begins from
 * @param outputDir takes the result, checkpoints, metrics and event files
 * @param trainable which weights move
 * @param adapter a LoRA adapter to go on with
 * @param dtype what frozen weights are held in and the model is written in
 * @param dropout probability at the embedding and at each branch that joins the residual stream
 * @param gradientCheckpointing keeps only each layer's input and computes the rest again
 */
@WithBuilder
public record StudentOptions(
    @Required("name a Hugging Face directory or a GGUF file")
        @Option(
            names = "--model",
            paramLabel = "DIR_OR_GGUF",
            description = "Hugging Face directory or GGUF file that training begins from.")
        String model,
    @Tunable
        @Required("name a folder")
        @Option(
            names = "--output-dir",
            paramLabel = "DIR",
            description =
                "Folder that takes the trained model or adapter, checkpoints, metrics and event"
                    + " files: a local path or a Hadoop URI.")
        String outputDir,
    @Option(
            names = "--trainable",
            defaultValue = "full",
            description =
                "What is trained: all weights, LoRA adapters beside frozen weights, or the output"
                    + " head alone.")
        Trainable trainable,
    @OnlyWith(option = "--trainable", is = "lora")
        @Option(
            names = "--adapter",
            paramLabel = "DIR",
            description = "LoRA adapter in PEFT's layout to go on training; with --trainable lora.")
        Optional<String> adapter,
    @Option(
            names = "--dtype",
            defaultValue = "auto",
            description =
                "What frozen weights are held in and the model is written in: float32 or bfloat16;"
                    + " auto is float32, but frozen weights of a GGUF file stay in its blocks."
                    + " Trained weights are float32 meanwhile; adapters are written so.")
        Dtype dtype,
    @Bounds(atLeast = 0, below = 1)
        @Option(
            names = "--dropout",
            paramLabel = "P",
            defaultValue = "0",
            description =
                "Probability of dropping a value at the embedding and at each branch that joins the"
                    + " residual stream.")
        double dropout,
    @Tunable
        @Option(
            names = "--gradient-checkpointing",
            defaultValue = "false",
            description =
                "Keep only each layer's input and compute the rest again in the backward pass: a"
                    + " third more work, a fraction of the memory, the same bits.")
        boolean gradientCheckpointing) {
  /** Named setters over the declared defaults. */
  public static StudentOptionsBuilder builder() {
    return StudentOptionsBuilder.builder(OptionsBinder.defaults(StudentOptions.class));
  }

  /** Which weights move. */
  public enum Trainable {
    /** All. */
    FULL,
    /** Low-rank adapters, and a head that the model's file does not have. */
    LORA,
    /** The output head. */
    HEAD
  }

  /** What weights are held and written in. */
  public enum Dtype {
    /** Float32, but what is frozen and lies in the blocks of a GGUF file stays in them. */
    AUTO,
    FLOAT32,
    /** Frozen weights and the written model are bfloat16; what is trained is float32 meanwhile. */
    BFLOAT16
  }
}
