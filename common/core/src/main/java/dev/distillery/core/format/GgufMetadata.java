package dev.distillery.core.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The key-value pairs of a GGUF file, read by type. Strings are {@link String}, integers {@link
 * Long} (unsigned 64-bit ones above 2^63 are refused on reading), floats {@link Double}, booleans
 * {@link Boolean}, arrays unmodifiable {@link List}s of these, arrays of strings where they lie in
 * the file.
 */
public final class GgufMetadata {
  private static final int LONGEST_SHOWN = 80;

  private final Path file;
  private final Map<String, Object> values;

  GgufMetadata(Path file, Map<String, Object> values) {
    this.file = file;
    this.values = Collections.unmodifiableMap(new TreeMap<>(values));
  }

  /** The file they are from. */
  public Path file() {
    return file;
  }

  /** All keys, in order. */
  public Set<String> keys() {
    return values.keySet();
  }

  public boolean has(String key) {
    return values.containsKey(key);
  }

  public String text(String key) throws ModelFileException {
    return value(key, String.class, "a string");
  }

  public String text(String key, String fallback) throws ModelFileException {
    return has(key) ? text(key) : fallback;
  }

  public int integer(String key) throws ModelFileException {
    long value = value(key, Long.class, "an integer");
    if (value < Integer.MIN_VALUE || value > Integer.MAX_VALUE) {
      throw wrong(key, "an integer of 32 bits");
    }
    return (int) value;
  }

  public int integer(String key, int fallback) throws ModelFileException {
    return has(key) ? integer(key) : fallback;
  }

  public double number(String key, double fallback) throws ModelFileException {
    return has(key) ? value(key, Double.class, "a floating-point number") : fallback;
  }

  public boolean bool(String key, boolean fallback) throws ModelFileException {
    return has(key) ? value(key, Boolean.class, "true or false") : fallback;
  }

  /** An array of strings. */
  public List<String> texts(String key) throws ModelFileException {
    Object value = values.get(key);
    if (value instanceof List<?> list && list.isEmpty()) {
      return List.of();
    }
    GgufHeader.Texts texts = value(key, GgufHeader.Texts.class, "an array of strings");
    ByteBuffer bytes = texts.bytes().duplicate().order(ByteOrder.LITTLE_ENDIAN);
    var strings = new ArrayList<String>(texts.size());
    while (bytes.hasRemaining()) {
      int length = (int) bytes.getLong();
      strings.add(GgufHeader.text(file, bytes.slice(bytes.position(), length), "metadata " + key));
      bytes.position(bytes.position() + length);
    }
    return Collections.unmodifiableList(strings);
  }

  /** An array of integers. */
  public List<Long> integers(String key) throws ModelFileException {
    return list(key, Long.class, "an array of integers");
  }

  /** An array of floating-point numbers. */
  public List<Double> numbers(String key) throws ModelFileException {
    return list(key, Double.class, "an array of floating-point numbers");
  }

  private <T> List<T> list(String key, Class<T> type, String expected) throws ModelFileException {
    List<?> list = value(key, List.class, expected);
    if (!list.stream().allMatch(type::isInstance)) {
      throw wrong(key, expected);
    }
    return list.stream().map(type::cast).toList();
  }

  private <T> T value(String key, Class<T> type, String expected) throws ModelFileException {
    Object value = values.get(key);
    if (!type.isInstance(value)) {
      throw wrong(key, expected);
    }
    return type.cast(value);
  }

  /** An error that names the file, the key, its value and what it should be. */
  public ModelFileException wrong(String key, String expected) {
    Object value = values.get(key);
    return new ModelFileException(
        file,
        "metadata "
            + key
            + " should be "
            + expected
            + ", but is "
            + (value == null ? "missing" : shown(value)));
  }

  private static String shown(Object value) {
    if (value instanceof List<?> list) {
      return "an array of " + list.size();
    }
    if (value instanceof GgufHeader.Texts texts) {
      return "an array of " + texts.size();
    }
    String text = value.toString();
    return text.length() <= LONGEST_SHOWN ? text : text.substring(0, LONGEST_SHOWN - 3) + "...";
  }
}
