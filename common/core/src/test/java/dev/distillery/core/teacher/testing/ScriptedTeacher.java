package dev.distillery.core.teacher.testing;

import java.util.Locale;

/**
 * Answers each step of `generate` in its form, with words drawn from the request's id, so that a
 * request always gets one answer.
 */
public final class ScriptedTeacher implements FakeScript {
  private static final String[] VERBS = {
    "Describe", "Compare", "Summarise", "Invent", "Rank", "Explain", "Rewrite", "Outline"
  };
  private static final String[] THINGS = {
    "lighthouses", "teapots", "glaciers", "bicycles", "orchards", "violins", "harbours", "kites",
    "beehives", "canals", "lanterns", "meadows", "quarries", "puppets", "mosaics", "tunnels"
  };

  @Override
  public FakeAnswer answer(FakeRequest request) {
    return FakeAnswer.says(request, text(request));
  }

  /** The reply to a request. */
  public static String text(FakeRequest request) {
    String prompt = request.prompt();
    if (prompt.contains("4. Instruction:")) {
      return " "
          + task(request, 0)
          + "\n4. Input:\n<noinput>\n4. Output:\nAn answer\n###\n"
          + "5. Instruction: "
          + task(request, 1)
          + "\n5. Input:\nsome input\n5. Output:\nAnother answer\n###\n6. Instruction: No.\n";
    }
    int open = prompt.lastIndexOf("\n9.");
    if (open >= 0 && prompt.strip().endsWith("9.")) {
      return " " + task(request, 0) + "\n10. " + task(request, 1) + "\n11. Show the picture to me.";
    }
    if (prompt.toLowerCase(Locale.ROOT).strip().endsWith("classification?")) {
      return request.draw("kind", 1) < 0.3 ? " Yes" : " No";
    }
    return prompt.contains("Class label:")
        ? "Class label: warm\nThe sun is out\nClass label: cold\nSnow fell at night"
        : "Example 1\nInput: one\nOutput: first\nExample 2\nInput: two\nOutput: second";
  }

  private static String task(FakeRequest request, int which) {
    return VERBS[pick(request, "verb" + which, VERBS.length)]
        + " "
        + THINGS[pick(request, "a" + which, THINGS.length)]
        + " beside "
        + THINGS[pick(request, "b" + which, THINGS.length)]
        + " without "
        + THINGS[pick(request, "c" + which, THINGS.length)]
        + ".";
  }

  private static int pick(FakeRequest request, String salt, int size) {
    return (int) (request.draw(salt, 7) * size);
  }
}
