package dev.distillery.model.constrain;

/** An object with any names, which may come again. */
final class MapRule extends Container {
  private static final JsonText NAME = new JsonText(0, JsonText.UNBOUNDED);

  private final Member member;

  MapRule(Choice values) {
    super('{', '}');
    this.member = new Member(values);
  }

  @Override
  int innerHeight() {
    return 0;
  }

  @Override
  boolean mayEnd(Reading frame) {
    return true;
  }

  @Override
  boolean mayGoOn(Reading frame) {
    return member.fits(frame.depth());
  }

  @Override
  void element(Reading frame, Readings into) {
    NAME.begin(new Reading(member, 0, 0, frame.to(ELEMENT, 0)), into);
  }
}
