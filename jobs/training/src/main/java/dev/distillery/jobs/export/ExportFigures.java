package dev.distillery.jobs.export;

import dev.distillery.core.run.Figures;
import java.util.Map;

/**
 * What an export wrote.
 *
 * @param parameters of the model
 * @param tensors written
 * @param bytes of the files
 * @param output where they are
 * @param template name of the chat template that went along; empty for none
 */
record ExportFigures(long parameters, long tensors, long bytes, String output, String template)
    implements Figures {
  @Override
  public Map<String, Number> figures() {
    return Map.of("parameters", parameters, "tensors", tensors, "bytes", bytes);
  }

  @Override
  public Map<String, Object> members() {
    return Map.of("output", output, "template", template);
  }
}
