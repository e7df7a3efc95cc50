package dev.distillery.model.nn;

/** How the frozen matrices of a student in training lie in memory. */
public enum FrozenForm {
  /** Widened to float32: 4 bytes a value, the fastest. */
  FLOAT32,
  /**
   * As their file has them: blocks of 4 to 8 bits or half precision, widened a tile at a time
   * (QLoRA, Dettmers et al. 2023); what the file has in float32 is that here too.
   */
  AS_STORED,
  /** Rounded to bfloat16, 2 bytes a value, where the file has more. */
  BFLOAT16
}
