package dev.distillery.jobs.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class WholeRequestsTest {
  private final EmbeddedChannel channel =
      new EmbeddedChannel(
          new WholeRequests(head -> head.uri().equals("/wanted"), new ServerFigures()));

  private static ByteBuf bytes(String text) {
    return Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
  }

  /** What came of a request of two pieces, and whether the first was kept. */
  private String sent(String path, boolean kept) {
    ByteBuf first = bytes("first, ");
    channel.writeInbound(new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, path));
    channel.writeInbound(new DefaultHttpContent(first));
    assertThat(first.refCnt()).isEqualTo(kept ? 1 : 0);
    channel.writeInbound(new DefaultLastHttpContent(bytes("last")));
    FullHttpRequest whole = channel.readInbound();
    try {
      assertThat(whole.uri()).isEqualTo(path);
      return whole.content().toString(StandardCharsets.UTF_8);
    } finally {
      whole.release();
    }
  }

  @Test
  void onlyWantedBodiesAreKept() {
    assertThat(sent("/wanted", true)).isEqualTo("first, last");
    assertThat(sent("/unwanted", false)).isEmpty();
    assertThat(sent("/wanted", true)).isEqualTo("first, last");
    assertThat(channel.finish()).isFalse();
  }
}
