package dev.distillery.jobs.export;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.JobSummary;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.RunOptions;
import dev.distillery.model.format.ModelFileException;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import java.io.IOException;
import org.apache.spark.sql.SparkSession;

/** Writes a model for others to use. See {@link #manual}. */
public final class ExportJob implements Job<ExportOptions> {
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
        chat template: for transformers (hf) or for llama.cpp (gguf, LLaMA architecture only).
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
  public RunOptions runOptions(ExportOptions options) {
    return options.run();
  }

  @Override
  public JobSummary run(SparkSession spark, ExportOptions options) {
    return JobRun.execute(spark, this, options, run -> Outcome.done(export(options, run.dryRun())));
  }

  private static ExportFigures export(ExportOptions options, boolean dryRun) throws IOException {
    try {
      return new Exporter(options).export(dryRun);
    } catch (ModelFileException | IllegalArgumentException e) {
      throw JobException.invalid(e.getMessage());
    }
  }
}
