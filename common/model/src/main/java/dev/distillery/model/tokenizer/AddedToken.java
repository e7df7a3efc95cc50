package dev.distillery.model.tokenizer;

/**
 * A token that is found in the text itself, before anything is cut or merged.
 *
 * @param id its id
 * @param content its spelling, not empty
 * @param special whether it is a mark rather than text
 * @param normalized whether it is looked for after the others, in what they leave
 * @param lstrip whether white space before it goes with it
 * @param rstrip whether white space after it goes with it
 */
record AddedToken(
    int id, String content, boolean special, boolean normalized, boolean lstrip, boolean rstrip) {
  /** A special token as GGUF and newly trained tokenizers have it. */
  static AddedToken special(int id, String content) {
    return new AddedToken(id, content, true, false, false, false);
  }
}
