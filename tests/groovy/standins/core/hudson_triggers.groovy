package hudson.triggers

class Trigger {
    String spec = ''
}

class TimerTrigger extends Trigger {
}
