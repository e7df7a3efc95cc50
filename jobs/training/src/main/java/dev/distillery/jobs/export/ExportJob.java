package dev.distillery.jobs.export;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.RunOptions;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import java.io.IOException;

/**
 * Writes a model for others to use. See {@link #manual}.
 *
 * <pre>{@code
 * ExportOptions options =
 *     ExportOptions.builder()
 *         .model("out/sft").format(ExportOptions.Format.GGUF).output("student.gguf").build();
 * ExportSummary summary = new ExportJob().run(spark, options);
 * System.out.println(summary.bytes() + " bytes in " + summary.output());
 * }</pre>
 */
public final class ExportJob implements Job<ExportOptions, ExportSummary> {
  @Override
  public String name() {
    return "export";
  }

  @Override
  public String purpose() {
    return "Write a model, an adapter merged into it, as a Hugging Face directory or GGUF file.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        Merges a LoRA adapter into the model if there is one, and writes it with its tokenizer and
        chat template: for transformers (hf) or for llama.cpp (gguf, LLaMA architecture only). Tokens
        that the adapter's own tokenizer adds, and its own chat template, are written with it.
        Quantised weights are decoded. What was written is opened again and checked before the job
        ends. All of it happens on the driver, through a buffer of a few MiB: a model of any size
        can be exported.
        """,
        "a Hugging Face directory, a GGUF file or a llama2.c checkpoint; no table.",
        "--output; no table.",
        "distillery export --model out/sft --format gguf --dtype q8 --output student.gguf");
  }

  @Override
  public Class<ExportOptions> optionsType() {
    return ExportOptions.class;
  }

  @Override
  public Class<ExportSummary> summaryType() {
    return ExportSummary.class;
  }

  @Override
  public boolean needsSpark() {
    return false;
  }

  @Override
  public RunOptions runOptions(ExportOptions options) {
    return options.run();
  }

  @Override
  public Outcome<ExportSummary> perform(JobRun run, ExportOptions options) throws IOException {
    try {
      return Outcome.done(new Exporter(options).export(run));
    } catch (ModelFileException | IllegalArgumentException e) {
      throw JobException.invalid(e.getMessage());
    }
  }
}
