package dev.distillery.jobs.export;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;

/**
 * What an export wrote.
 *
 * @param parameters of the model
 * @param tensors written
 * @param fallbacks matrices that are stored in another type than asked for, since their rows are
 *     not whole blocks of it
 * @param bytes of the files
 * @param output where they are
 * @param template name of the chat template that went along; empty for none
 */
public record ExportSummary(
    RunSummary run,
    long parameters,
    long tensors,
    long fallbacks,
    long bytes,
    String output,
    String template)
    implements Summary {}
