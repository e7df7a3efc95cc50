package dev.distillery.jobs.export;

import dev.distillery.core.run.OldNames;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.model.format.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What the export job can be told.
 *
 * @param run what every job can be told
 * @param model a model's directory or file
 * @param adapter LoRA adapter to merge into it
 * @param tokenizer the tokenizer, where the model brings none or another is wanted
 * @param chatTemplate chat template to export; by default the model's own
 * @param format what is written
 * @param dtype how values are stored
 * @param output directory (hf) or file (gguf), which must not be there unless the run overwrites
 */
@WithBuilder
public record ExportOptions(
    RunOptions run,
    @Required("name a directory or a file")
        @Option(
            names = "--model",
            paramLabel = "PATH",
            description = "Hugging Face directory, GGUF file or llama2.c checkpoint.")
        String model,
    @Option(
            names = "--adapter",
            paramLabel = "DIR",
            description = "PEFT adapter (LoRA) that is merged into the model.")
        Optional<String> adapter,
    @Option(
            names = "--tokenizer",
            paramLabel = "PATH",
            description =
                "Directory, tokenizer.json, GGUF file or llama2.c .bin. Default: the model's.")
        Optional<String> tokenizer,
    @OldNames("--template")
        @Option(
            names = "--chat-template",
            paramLabel = "NAME",
            description = "Chat template. Default: the model's own.")
        Optional<String> chatTemplate,
    @Option(
            names = "--format",
            paramLabel = "hf|gguf",
            defaultValue = "hf",
            description = "A Hugging Face directory, or a GGUF file.")
        Format format,
    @Option(
            names = "--dtype",
            paramLabel = "f32|f16|bf16|q8|q6-k|q5-k|q5-1|q5-0|q4-k|q4-1|q4-0",
            defaultValue = "f32",
            description =
                "How values are stored. bf16 is for hf; q8 (Q8_0) and below for gguf: q8, q5-1,"
                    + " q5-0, q4-1 and q4-0 hold blocks of 32 values in 34, 24, 22, 20 and 18"
                    + " bytes; q6-k, q5-k and q4-k blocks of 256 in 210, 176 and 144, and where a"
                    + " matrix's rows are not whole blocks they give way to q8, q5-1 and q5-0.")
        DataType dtype,
    @Required("name a directory (hf) or a file (gguf)")
        @Option(
            names = "--output",
            paramLabel = "PATH",
            description =
                "Directory (hf) or file (gguf); must hold no model yet, but with --overwrite, which"
                    + " replaces it once the new one is whole.")
        String output)
    implements Validated {
  /** Named setters over the declared defaults. */
  public static ExportOptionsBuilder builder() {
    return ExportOptionsBuilder.builder(OptionsBinder.defaults(ExportOptions.class));
  }

  /** What is written. */
  public enum Format {
    HF,
    GGUF
  }

  /** How values are stored. */
  public enum DataType {
    F32(TensorType.F32),
    F16(TensorType.F16),
    BF16(TensorType.BF16),
    Q8(TensorType.Q8_0),
    Q6_K(TensorType.Q6_K),
    Q5_K(TensorType.Q5_K),
    Q5_1(TensorType.Q5_1),
    Q5_0(TensorType.Q5_0),
    Q4_K(TensorType.Q4_K),
    Q4_1(TensorType.Q4_1),
    Q4_0(TensorType.Q4_0);

    private final TensorType type;

    DataType(TensorType type) {
      this.type = type;
    }

    TensorType type() {
      return type;
    }
  }

  @Override
  public List<String> violations() {
    List<String> violations = new ArrayList<>();
    if (format == Format.HF && dtype.type().quantised()) {
      violations.add("Option --dtype: q8 and below are for --format gguf; use f32, f16 or bf16");
    }
    if (format == Format.GGUF && dtype == DataType.BF16) {
      violations.add("Option --dtype: bf16 is for --format hf; use f32, f16, q8 or below");
    }
    return violations;
  }
}
