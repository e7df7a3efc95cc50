package dev.distillery.datasets.read;

import com.github.luben.zstd.ZstdInputStream;
import dev.distillery.spark.warehouse.PathNames;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.BZip2Codec;
import org.apache.hadoop.io.compress.SplitCompressionInputStream;
import org.apache.hadoop.io.compress.SplittableCompressionCodec.READ_MODE;
import org.jspecify.annotations.Nullable;

/** Opens splits of files on any Hadoop file system, whatever their compression. */
final class ByteSources {
  private static final int BUFFER_BYTES = 1 << 18;
  private static final long BOMB_BYTES = 64L << 20;

  /** The mark that ends a stream of bzip2, and how many bytes it, a sum and padding take. */
  private static final long STREAM_END = 0x1772_4538_5090L;

  private static final int STREAM_END_BYTES = 11;

  private ByteSources() {}

  static ByteSource open(FileSplit split, Configuration hadoop, int maxExpansion)
      throws IOException {
    Path path = new Path(split.file().path());
    FileSystem fileSystem = PathNames.fileSystem(path, hadoop);
    StoredFile raw = new StoredFile(fileSystem.open(path));
    try {
      return switch (split.file().compression()) {
        case NONE -> new Plain(raw, split);
        case GZIP -> new Decompressed(raw, split, ByteSources::gunzip, maxExpansion);
        case ZSTD -> new Decompressed(raw, split, ByteSources::unzstd, maxExpansion);
        case PARQUET ->
            throw new IllegalStateException(path + " is Parquet, and has no bytes of rows");
        case BZIP2 ->
            split.start() == 0 && split.end() >= split.file().length()
                ? new Decompressed(raw, split, ByteSources::unbzip2, maxExpansion)
                : new Bzip2(raw, split, hadoop, maxExpansion);
      };
    } catch (IOException | RuntimeException e) {
      raw.close();
      throw e;
    }
  }

  private static InputStream gunzip(InputStream in) throws IOException {
    // The JDK's takes a damaged header of a later member for the end of the file.
    return new Slices(
        GzipCompressorInputStream.builder()
            .setInputStream(in)
            .setDecompressConcatenated(true)
            .get());
  }

  private static InputStream unzstd(InputStream in) throws IOException {
    // The library takes the end of a file within a later frame for the end of that frame.
    return new ZstdInputStream(new ZstdFrameCheck(in)).setContinuous(false);
  }

  /** Checks what Hadoop's reader, which can begin at any block, does not. */
  private static InputStream unbzip2(InputStream in) throws IOException {
    return new Slices(new BZip2CompressorInputStream(new BufferedInputStream(in, 1 << 16), true));
  }

  /** Asks for little at a time: what a decompressor has made in a call that fails is lost. */
  private static final class Slices extends FilterInputStream {
    private static final int MOST = 1024;

    Slices(InputStream in) {
      super(in);
    }

    @Override
    public int read(byte[] bytes, int from, int count) throws IOException {
      return in.read(bytes, from, Math.min(count, MOST));
    }
  }

  /** Opens a decompressor. */
  private interface Decompressor {
    InputStream open(InputStream compressed) throws IOException;
  }

  /** What all three have in common. */
  private abstract static class Base implements ByteSource {
    final byte[] buffer = new byte[BUFFER_BYTES];
    int length;
    long position;
    boolean pastEnd;
    @Nullable String damage;

    @Override
    public byte[] buffer() {
      return buffer;
    }

    @Override
    public int length() {
      return length;
    }

    @Override
    public long position() {
      return position;
    }

    @Override
    public boolean pastEnd() {
      return pastEnd;
    }

    @Override
    public @Nullable String damage() {
      return damage;
    }

    /** Fills the buffer as far as {@code limit} and the stream go; false where the stream ends. */
    boolean fill(InputStream in, long limit) throws IOException {
      position += length;
      length = 0;
      int wanted = (int) Math.min(buffer.length, limit);
      while (length < wanted) {
        int read = in.read(buffer, length, wanted - length);
        if (read < 0) {
          break;
        }
        length += read;
      }
      return length > 0;
    }
  }

  private static final class Plain extends Base {
    private final StoredFile in;
    private final long end;

    Plain(StoredFile in, FileSplit split) throws IOException {
      this.in = in;
      this.end = split.end() == Long.MAX_VALUE ? Long.MAX_VALUE : split.end() - split.start();
      in.seek(split.start());
    }

    @Override
    public boolean next() throws IOException {
      long at = position + length;
      pastEnd = at >= end;
      return fill(in, pastEnd ? Long.MAX_VALUE : end - at);
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }

  /** A file that is compressed as a whole, or frame by frame with a split made of whole frames. */
  private static final class Decompressed extends Base {
    private final Stored stored;
    private final Decompressor decompressor;
    private final int maxExpansion;
    private @Nullable InputStream in;

    Decompressed(StoredFile raw, FileSplit split, Decompressor decompressor, int maxExpansion)
        throws IOException {
      raw.seek(split.start());
      this.stored = new Stored(raw, split.start(), split.end(), split.file().length());
      this.decompressor = decompressor;
      this.maxExpansion = maxExpansion;
    }

    @Override
    public boolean next() throws IOException {
      if (damage != null) {
        return false;
      }
      try {
        if (in == null) {
          in = decompressor.open(stored);
        }
        if (fill(in, Long.MAX_VALUE)) {
          checkExpansion(stored.consumed());
          return damage == null;
        }
        if (!stored.moreFollows()) {
          return false;
        }
        stored.continuePastEnd();
        pastEnd = true;
        in = decompressor.open(stored);
        return fill(in, Long.MAX_VALUE);
      } catch (IOException | RuntimeException e) {
        damage = damageOf(stored.file, e);
        // What was read before the damage is still a chunk.
        return length > 0;
      }
    }

    private void checkExpansion(long consumed) {
      long total = position + length;
      if (total > BOMB_BYTES && total / Math.max(1, consumed) > maxExpansion) {
        damage = expansion(maxExpansion);
        length = 0;
      }
    }

    @Override
    public void close() throws IOException {
      if (in != null) {
        in.close();
      }
      stored.file.close();
    }
  }

  /**
   * What is wrong with a file that a decompressor fails over. Some check what they read so little
   * that they end in any exception.
   */
  private static String damageOf(StoredFile file, Exception e) throws IOException {
    if (file.failed()) {
      throw e instanceof IOException io ? io : new IOException(e);
    }
    String message = String.valueOf(e.getMessage());
    return e instanceof EOFException || message.contains("end of stream")
        ? "The compressed file is truncated"
        : "The compressed file is damaged: " + (e instanceof IOException ? message : e.toString());
  }

  private static String expansion(int maxExpansion) {
    return "The compressed file grows by more than "
        + maxExpansion
        + " times; raise --max-expansion if it is meant to";
  }

  /** Blocks of bzip2 begin at any bit; Hadoop's reader finds them. */
  private static final class Bzip2 extends Base {
    private final StoredFile raw;
    private final FileSplit split;
    private final Configuration hadoop;
    private final int maxExpansion;
    private @Nullable SplitCompressionInputStream in;
    private long end;

    Bzip2(StoredFile raw, FileSplit split, Configuration hadoop, int maxExpansion) {
      this.raw = raw;
      this.split = split;
      this.hadoop = hadoop;
      this.maxExpansion = maxExpansion;
    }

    private SplitCompressionInputStream open() throws IOException {
      BZip2Codec codec = new BZip2Codec();
      codec.setConf(hadoop);
      long length = split.file().length();
      checkEnd(length);
      long storedEnd = Math.min(split.end(), length);
      var opened = codec.createInputStream(raw, null, split.start(), storedEnd, READ_MODE.BYBLOCK);
      end = split.end() == Long.MAX_VALUE ? Long.MAX_VALUE : opened.getAdjustedEnd();
      return opened;
    }

    /** Hadoop's reader takes a file cut between two blocks for a whole one. */
    private void checkEnd(long length) throws IOException {
      if (split.end() < length) {
        return;
      }
      byte[] tail = new byte[(int) Math.min(length, STREAM_END_BYTES)];
      raw.seek(length - tail.length);
      int read = raw.readNBytes(tail, 0, tail.length);
      if (read < tail.length || !endsStream(tail)) {
        throw new EOFException();
      }
    }

    /** Whether the mark of a stream's end stands before its last 32 bits, whatever bit it is at. */
    private static boolean endsStream(byte[] tail) {
      var bits = new BigInteger(1, tail);
      for (int padding = 0; padding < 8; padding++) {
        long mark = bits.shiftRight(32 + padding).longValue() & 0xFFFF_FFFF_FFFFL;
        if (mark == STREAM_END) {
          return true;
        }
      }
      return false;
    }

    @Override
    public boolean next() throws IOException {
      if (damage != null) {
        return false;
      }
      position += length;
      length = 0;
      try {
        if (in == null) {
          in = open();
        }
        // One read never leaves a block, and tells the block that it was in afterwards.
        int read = in.read(buffer, 0, buffer.length);
        if (read <= 0) {
          return false;
        }
        length = read;
        pastEnd |= in.getPos() > end;
        long total = position + length;
        if (total > BOMB_BYTES && total / Math.max(1, in.getPos() - split.start()) > maxExpansion) {
          damage = expansion(maxExpansion);
          length = 0;
          return false;
        }
        return true;
      } catch (IOException | RuntimeException e) {
        damage = damageOf(raw, e);
        return false;
      }
    }

    @Override
    public void close() throws IOException {
      if (in != null) {
        in.close();
      }
      raw.close();
    }
  }

  /** The stored bytes, ending where the split ends until they are told to go on. */
  private static final class Stored extends InputStream {
    private final StoredFile file;
    private final long start;
    private final long fileEnd;
    private long end;

    Stored(StoredFile file, long start, long end, long fileEnd) {
      this.file = file;
      this.start = start;
      this.end = Math.min(end, fileEnd);
      this.fileEnd = fileEnd;
    }

    long consumed() throws IOException {
      return file.getPos() - start;
    }

    boolean moreFollows() {
      return end < fileEnd;
    }

    void continuePastEnd() {
      end = fileEnd;
    }

    @Override
    public int read() throws IOException {
      return file.getPos() < end ? file.read() : -1;
    }

    @Override
    public int read(byte[] bytes, int offset, int count) throws IOException {
      long left = end - file.getPos();
      return left <= 0 ? -1 : file.read(bytes, offset, (int) Math.min(count, left));
    }

    /**
     * The truth, unlike many streams: the JDK's gzip looks for a next member only if there is more.
     */
    @Override
    public int available() throws IOException {
      return (int) Math.min(Integer.MAX_VALUE, end - file.getPos());
    }

    @Override
    public void close() {
      // The source closes the file; a decompressor at the end of a frame must not.
    }
  }
}
