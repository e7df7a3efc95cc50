package dev.distillery.datasets.read;

import java.io.Serializable;

/**
 * A file that was looked at and found readable.
 *
 * @param path its Hadoop URI
 * @param ordinal its place among the run's files, which are sorted by path
 * @param length in bytes, as it is stored
 * @param modified time of its last change, milliseconds since 1970
 * @param compression how it is compressed
 * @param layout how its rows lie
 * @param contentStart the first byte (uncompressed) after a byte order mark, and in XML after
 *     comments
 */
public record InputFile(
    String path,
    int ordinal,
    long length,
    long modified,
    Compression compression,
    Layout layout,
    int contentStart)
    implements Serializable {}
