package dev.distillery.training.run;

import dev.distillery.spark.warehouse.MetricRow;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The bytes of a TensorBoard event file: TFRecords of Event messages. A record is the length
 * (uint64), its masked CRC-32C, the message and its masked CRC-32C, all little-endian (tensorflow,
 * {@code record_writer.h}); an Event has wall_time = 1 (double), step = 2 (varint), file_version =
 * 3 (string) or summary = 5, a summary values = 1, a value tag = 1 (string) and simple_value = 2
 * (float) (tensorboard, {@code event.proto}, {@code summary.proto}).
 */
final class EventFile {
  private static final String VERSION = "brain.Event:2";
  private static final int MASK = 0xa282ead8;

  private EventFile() {}

  /**
   * A whole file.
   *
   * @param created when
   * @param rows {@code eval_loss} becomes {@code eval/loss}, {@code loss} {@code train/loss}
   */
  static byte[] of(Instant created, List<MetricRow> rows) {
    var file = new ByteArrayOutputStream();
    record(file, event(created, 0, 3, VERSION.getBytes(StandardCharsets.UTF_8)));
    for (MetricRow row : rows) {
      var value = new ByteArrayOutputStream();
      bytes(value, 1, tag(row.name()).getBytes(StandardCharsets.UTF_8));
      value.write(2 << 3 | 5);
      value.writeBytes(little(4).putFloat((float) row.value()).array());
      var summary = new ByteArrayOutputStream();
      bytes(summary, 1, value.toByteArray());
      record(file, event(row.wallTime(), row.step(), 5, summary.toByteArray()));
    }
    return file.toByteArray();
  }

  private static String tag(String name) {
    return name.startsWith("eval_") ? "eval/" + name.substring(5) : "train/" + name;
  }

  private static byte[] event(Instant time, long step, int field, byte[] content) {
    var event = new ByteArrayOutputStream();
    event.write(1 << 3 | 1);
    double seconds = time.getEpochSecond() + time.getNano() / 1e9;
    event.writeBytes(little(8).putDouble(seconds).array());
    if (step != 0) {
      event.write(2 << 3);
      varint(event, step);
    }
    bytes(event, field, content);
    return event.toByteArray();
  }

  private static void bytes(ByteArrayOutputStream out, int field, byte[] content) {
    out.write(field << 3 | 2);
    varint(out, content.length);
    out.writeBytes(content);
  }

  private static void varint(ByteArrayOutputStream out, long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      out.write((int) ((rest & 0x7f) | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
  }

  private static void record(ByteArrayOutputStream out, byte[] message) {
    byte[] length = little(8).putLong(message.length).array();
    out.writeBytes(length);
    out.writeBytes(little(4).putInt(maskedSum(length)).array());
    out.writeBytes(message);
    out.writeBytes(little(4).putInt(maskedSum(message)).array());
  }

  private static int maskedSum(byte[] bytes) {
    var sum = new CRC32C();
    sum.update(bytes);
    int value = (int) sum.getValue();
    return (value >>> 15 | value << 17) + MASK;
  }

  private static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
