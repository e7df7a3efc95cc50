package dev.distillery.model.format;

/** What the tokens of a layer see, and whether they know where they stand. */
public enum LayerKind {
  /** Every token before, with positions. */
  FULL(false, true),
  /** The window only, with positions. */
  LOCAL(true, true),
  /** Every token before, without rotary positions. */
  FULL_UNROTATED(false, false),
  /** The window only, without rotary positions. */
  LOCAL_UNROTATED(true, false);

  private final boolean local;
  private final boolean rotated;

  LayerKind(boolean local, boolean rotated) {
    this.local = local;
    this.rotated = rotated;
  }

  /** Whether only the model's window is seen. */
  public boolean local() {
    return local;
  }

  /** Whether queries and keys are rotated, where the family's are. */
  public boolean rotated() {
    return rotated;
  }

  static LayerKind of(boolean local, boolean rotated) {
    return rotated ? (local ? LOCAL : FULL) : local ? LOCAL_UNROTATED : FULL_UNROTATED;
  }
}
