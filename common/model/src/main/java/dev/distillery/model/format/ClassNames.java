package dev.distillery.model.format;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The names of a classifier's classes, in the order of the head's outputs: {@code id2label} and
 * {@code label2id} of config.json, as transformers has them. An adapter has no config.json; its
 * names stand in {@code id2label.json}, an object from the output's number to the name.
 */
public final class ClassNames {
  private static final String IDS = "id2label";
  private static final String NAMES = "label2id";

  /** Of an adapter. */
  public static final String FILE = "id2label.json";

  private ClassNames() {}

  /**
   * The names in a folder of a model or an adapter; empty where there are none.
   *
   * @throws ModelFileException if they are not numbered from 0 on without a gap
   */
  public static List<String> read(Path directory) throws IOException {
    Path config = directory.resolve(HuggingFaceReader.CONFIG);
    JsonNode ids;
    if (Files.isRegularFile(config)) {
      ids = ModelJson.read(config).node().path(IDS);
    } else if (Files.isRegularFile(directory.resolve(FILE))) {
      ids = ModelJson.read(directory.resolve(FILE)).node();
    } else {
      return List.of();
    }
    List<String> names = new ArrayList<>();
    for (int i = 0; i < ids.size(); i++) {
      JsonNode name = ids.path(Integer.toString(i));
      if (!name.isTextual()) {
        throw new ModelFileException(directory, IDS + " has no name of class " + i);
      }
      names.add(name.textValue());
    }
    return List.copyOf(names);
  }

  /**
   * Writes the names into a folder that {@link ModelWriter} or {@link AdapterFiles} has written.
   */
  public static void write(Path directory, List<String> names) throws IOException {
    Path config = directory.resolve(HuggingFaceReader.CONFIG);
    ObjectNode ids = ModelJson.newObject();
    ObjectNode numbers = ModelJson.newObject();
    for (int i = 0; i < names.size(); i++) {
      ids.put(Integer.toString(i), names.get(i));
      numbers.put(names.get(i), i);
    }
    if (!Files.isRegularFile(config)) {
      Files.write(directory.resolve(FILE), ModelJson.bytes(ids));
      return;
    }
    ObjectNode json = ModelJson.read(config).node().deepCopy();
    json.set(IDS, ids);
    json.set(NAMES, numbers);
    Files.write(config, ModelJson.bytes(json));
  }
}
