// SPDX-License-Identifier: GPL-2.0

// Children of a program in Go, in many goroutines: statuses, output, signals, groups and namespaces.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

var failed bool
var number int

// check reports a case, as TAP.
func check(name string, err error) {
	number++
	if err != nil {
		failed = true
		fmt.Printf("# %v\nnot ok %d %s\n", err, number, name)
	} else {
		fmt.Printf("ok %d %s\n", number, name)
	}
}

// sh runs a command of the shell and compares what it says.
func sh(command, want string, attr *syscall.SysProcAttr) error {
	cmd := exec.Command("sh", "-c", command)
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	if err != nil {
		return err
	}
	if got := strings.TrimSpace(string(out)); got != want {
		return fmt.Errorf("%q, not %q", got, want)
	}
	return nil
}

// busy computes, so that goroutines are preempted by SIGURG.
func busy(stop chan bool) {
	for x := 1; ; x = x*31 + 7 {
		if x%1000003 == 0 {
			select {
			case <-stop:
				return
			default:
			}
		}
	}
}

func many() error {
	stop := make(chan bool)
	for i := 0; i < 4; i++ {
		go busy(stop)
	}
	defer close(stop)
	var group sync.WaitGroup
	errs := make(chan error, 400)
	for i := 0; i < 20; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			for j := 0; j < 10; j++ {
				cmd := exec.Command("sh", "-c", "echo "+strconv.Itoa(i*j)+"; exit "+strconv.Itoa(j))
				out, err := cmd.Output()
				if strings.TrimSpace(string(out)) != strconv.Itoa(i*j) || cmd.ProcessState.ExitCode() != j {
					errs <- fmt.Errorf("%d: %q, %v", j, out, err)
				}
			}
		}(i)
	}
	group.Wait()
	close(errs)
	return <-errs
}

func killed() error {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	err := exec.CommandContext(ctx, "sleep", "1000").Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		return fmt.Errorf("%v", err)
	}
	return nil
}

func signaled() error {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1} {
		cmd := exec.Command("sleep", "1000")
		if err := cmd.Start(); err != nil {
			return err
		}
		if err := cmd.Process.Signal(sig); err != nil {
			return err
		}
		cmd.Wait()
		if got := cmd.ProcessState.Sys().(syscall.WaitStatus).Signal(); got != sig {
			return fmt.Errorf("%v, not %v", got, sig)
		}
		if err := cmd.Process.Signal(sig); !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("after the wait: %v", err)
		}
	}
	return nil
}

func notified() error {
	child := make(chan os.Signal, 8)
	signal.Notify(child, syscall.SIGCHLD, syscall.SIGUSR2)
	defer signal.Stop(child)
	if err := exec.Command("true").Run(); err != nil {
		return err
	}
	if sig := <-child; sig != syscall.SIGCHLD {
		return fmt.Errorf("%v", sig)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGUSR2); err != nil {
		return err
	}
	for sig := range child {
		if sig == syscall.SIGUSR2 {
			break
		}
	}
	return nil
}

func found() error {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		return err
	}
	process, err := os.FindProcess(cmd.Process.Pid)
	if err == nil {
		err = process.Signal(syscall.Signal(0))
	}
	if err == nil {
		err = process.Kill()
	}
	cmd.Wait()
	return err
}

func groups() error {
	cmd := exec.Command("sh", "-c", "sleep 1000 & sleep 1000 & wait")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	group, err := syscall.Getpgid(cmd.Process.Pid)
	if err != nil || group != cmd.Process.Pid {
		return fmt.Errorf("%d, %v", group, err)
	}
	if err := syscall.Kill(-group, syscall.SIGKILL); err != nil {
		return err
	}
	cmd.Wait()
	return nil
}

func pipeline() error {
	var out bytes.Buffer
	first, second := exec.Command("seq", "1000"), exec.Command("wc", "-l")
	second.Stdin, _ = first.StdoutPipe()
	second.Stdout = &out
	if err := second.Start(); err != nil {
		return err
	}
	if err := first.Run(); err != nil {
		return err
	}
	if err := second.Wait(); err != nil || strings.TrimSpace(out.String()) != "1000" {
		return fmt.Errorf("%q, %v", out.String(), err)
	}
	return nil
}

func used() error {
	cmd := exec.Command("sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done")
	if err := cmd.Run(); err != nil {
		return err
	}
	if cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime() == 0 {
		return errors.New("no time was used")
	}
	return nil
}

func pidfd() error {
	fd := -1
	cmd := exec.Command("sleep", "1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{PidFD: &fd}
	if err := cmd.Start(); err != nil {
		return err
	}
	info, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(fd))
	if err != nil {
		return err
	}
	cmd.Process.Kill()
	cmd.Wait()
	if !strings.Contains(string(info), "Pid:\t"+strconv.Itoa(cmd.Process.Pid)+"\n") {
		return fmt.Errorf("%d: %s", cmd.Process.Pid, info)
	}
	return nil
}

func main() {
	pid := strconv.Itoa(os.Getpid())
	check("parent", sh("echo $PPID", pid, nil))
	check("many", many())
	check("killed by a context", killed())
	check("signals", signaled())
	check("notified", notified())
	check("found", found())
	check("a process group", groups())
	check("a pipeline", pipeline())
	check("times", used())
	check("pidfd", pidfd())
	check("session", sh("[ $$ = $(ps -o sid= -p $$ 2>/dev/null || cut -d ' ' -f 6 /proc/$$/stat) ] && echo leads", "leads", &syscall.SysProcAttr{Setsid: true}))
	check("a namespace", sh("echo $$ $PPID", "1 0", &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}))
	check("a user's namespace", sh("echo $$; id -u", "1\n0", &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWPID | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}))
	check("a signal of the parent's death", sh("echo fine", "fine", &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}))
	_, err := exec.Command("/nothing").Output()
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	check("a program that is not there", err)
	if failed {
		os.Exit(1)
	}
}
