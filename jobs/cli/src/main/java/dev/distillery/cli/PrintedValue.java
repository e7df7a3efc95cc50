package dev.distillery.cli;

import dev.distillery.core.run.TerminalText;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import scala.jdk.javaapi.CollectionConverters;

/**
 * One value of a row as a person reads it: whole words, lines kept, the name in a column of its
 * own, long text cut.
 */
final class PrintedValue {
  private static final int NAME = 18;
  private static final int LONGEST = 600;

  private PrintedValue() {}

  static String of(String name, Object value) {
    String text = text(value);
    if (text.codePointCount(0, text.length()) > LONGEST) {
      text = text.substring(0, text.offsetByCodePoints(0, LONGEST)) + " ...";
    }
    String indent = "\n" + " ".repeat(NAME + 3);
    return String.format("  %-" + NAME + "s ", name)
        + TerminalText.safe(text).strip().lines().collect(Collectors.joining(indent));
  }

  private static String text(Object value) {
    if (value instanceof scala.collection.Seq<?> list) {
      return CollectionConverters.asJava(list).stream()
          .map(PrintedValue::text)
          .collect(Collectors.joining("\n"));
    }
    if (value instanceof Row row) {
      return CollectionConverters.asJava(row.toSeq()).stream()
          .map(String::valueOf)
          .collect(Collectors.joining("  "));
    }
    return String.valueOf(value);
  }
}
