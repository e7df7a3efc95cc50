package dev.distillery.model.template;

/**
 * One word of a template.
 *
 * @param value the characters; a string literal's are what it stands for
 * @param line counted from 1
 */
record Token(Kind kind, String value, int line) {
  enum Kind {
    /** What stands outside of marks. */
    DATA,
    VARIABLE_BEGIN,
    VARIABLE_END,
    BLOCK_BEGIN,
    BLOCK_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean is(Kind wanted, String text) {
    return kind == wanted && value.equals(text);
  }
}
