package dev.distillery.datasets.read;

/** How a file is compressed, told by its first bytes and not by its name. */
public enum Compression {
  NONE,
  /** Read by one task: the format has no place to start but its beginning. */
  GZIP,
  /** Read by as many tasks as the file has frames; {@code zstd} alone writes one frame. */
  ZSTD,
  /** Read by as many tasks as there are blocks (900 kB each, before compression). */
  BZIP2,
  /** Rows in columns, each compressed by itself: {@link ParquetRows} reads them. */
  PARQUET;

  /** The compression of a file that begins with these bytes. */
  public static Compression of(byte[] head, int length) {
    if (startsWith(head, length, 0x1F, 0x8B)) {
      return GZIP;
    }
    if (startsWith(head, length, 0x28, 0xB5, 0x2F, 0xFD) || isSkippableFrame(head, length)) {
      return ZSTD;
    }
    if (startsWith(head, length, 'P', 'A', 'R', '1')) {
      return PARQUET;
    }
    boolean bzip2 = startsWith(head, length, 'B', 'Z', 'h');
    return bzip2 && length > 4 && head[3] >= '1' && head[3] <= '9' && head[4] == 0x31
        ? BZIP2
        : NONE;
  }

  /** Zstandard's frames without content have the magic numbers 0x184D2A50 to 0x184D2A5F. */
  private static boolean isSkippableFrame(byte[] head, int length) {
    return length >= 4
        && (head[0] & 0xF0) == 0x50
        && startsWith(new byte[] {head[1], head[2], head[3]}, 3, 0x2A, 0x4D, 0x18);
  }

  private static boolean startsWith(byte[] head, int length, int... magic) {
    if (length < magic.length) {
      return false;
    }
    for (int i = 0; i < magic.length; i++) {
      if ((head[i] & 0xFF) != magic[i]) {
        return false;
      }
    }
    return true;
  }
}
