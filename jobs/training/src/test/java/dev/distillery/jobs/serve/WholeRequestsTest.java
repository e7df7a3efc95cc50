package dev.distillery.jobs.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.PrematureChannelClosureException;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class WholeRequestsTest {
  private final HeldBodies bodies = new HeldBodies();
  private final EmbeddedChannel channel = channel();

  private EmbeddedChannel channel() {
    return new EmbeddedChannel(
        new WholeRequests(head -> head.uri().equals("/wanted"), bodies, new ServerFigures()));
  }

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

  @Test
  void bodiesTakeOnlySoMuchRoomTogether() {
    var begun = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, "/wanted");
    EmbeddedChannel other = channel();
    bodies.hold(HeldBodies.MOST - 20);
    channel.writeInbound(begun);
    channel.writeInbound(new DefaultHttpContent(bytes("fifteen bytes..")));
    ByteBuf late = bytes("eight by");
    other.writeInbound(begun);
    other.writeInbound(new DefaultHttpContent(late));
    assertThat(late.refCnt()).isZero();
    HttpResponse refusal = other.readOutbound();
    assertThat(refusal.status().code()).isEqualTo(429);
    assertThat(refusal.headers().get("Retry-After")).isEqualTo("1");
    ReferenceCountUtil.release(refusal);
    assertThat(other.isOpen()).isFalse();
    // Who was first goes on, and then there is room again.
    channel.writeInbound(new DefaultLastHttpContent(bytes("five.")));
    FullHttpRequest whole = channel.readInbound();
    assertThat(whole.content().readableBytes()).isEqualTo(20);
    whole.release();
    // One that leaves in the middle takes none with it.
    EmbeddedChannel left = channel();
    left.writeInbound(begun);
    left.writeInbound(new DefaultHttpContent(bytes("fifteen bytes..")));
    assertThat(bodies.take(20)).isFalse();
    assertThatThrownBy(left::finish).isInstanceOf(PrematureChannelClosureException.class);
    assertThat(bodies.take(20)).isTrue();
    assertThat(bodies.take(1)).isFalse();
    assertThat(channel.finish()).isFalse();
    // What the aggregator says of what it dropped.
    assertThatThrownBy(other::finish).isInstanceOf(PrematureChannelClosureException.class);
  }
}
