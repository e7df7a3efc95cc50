package dev.distillery.core.prompt;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A text with placeholders, written {@code {{name}}}: two braces, a name of lower-case letters, two
 * braces, nothing else between them. Every placeholder that the template is given must be there,
 * and no other. There is no way to write two opening braces as text. White space at the end is cut,
 * so that an editor's last newline does no harm.
 */
public record PromptTemplate(String text) implements Serializable {
  /** Longest template, in characters. */
  static final int MAX_CHARS = 65_536;

  private static final Pattern OPENING = Pattern.compile("\\{\\{(?:([a-z]+)\\}\\})?");

  public PromptTemplate {
    text = text.stripTrailing();
  }

  /** What is wrong with the template, as {@code line: what}; empty where nothing is. */
  public List<String> problems(List<String> placeholders) {
    var problems = new ArrayList<String>();
    if (text.length() > MAX_CHARS) {
      problems.add("has " + text.length() + " characters; at most " + MAX_CHARS);
      return problems;
    }
    var missing = new TreeSet<>(placeholders);
    var matcher = OPENING.matcher(text);
    while (matcher.find()) {
      String name = matcher.group(1);
      long line = 1 + text.substring(0, matcher.start()).chars().filter(c -> c == '\n').count();
      if (name == null) {
        problems.add(
            "line " + line + ": {{ does not begin a placeholder such as " + all(placeholders));
      } else if (!placeholders.contains(name)) {
        problems.add(
            "line " + line + ": {{" + name + "}} is unknown here; known: " + all(placeholders));
      } else {
        missing.remove(name);
      }
    }
    missing.forEach(name -> problems.add("lacks {{" + name + "}}; put it where it belongs"));
    return problems;
  }

  /** The text with each placeholder replaced by its value, which is taken as it is. */
  public String fill(Map<String, String> values) {
    return OPENING
        .matcher(text)
        .replaceAll(match -> Matcher.quoteReplacement(values.get(match.group(1))));
  }

  private static String all(List<String> placeholders) {
    return String.join(", ", placeholders.stream().map(name -> "{{" + name + "}}").toList());
  }
}
