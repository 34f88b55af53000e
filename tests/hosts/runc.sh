#!/bin/sh
# Stands before runc on hosts of a machine whose capability bounding set lacks CAP_SYS_RESOURCE, as a container's does:
# a container that asks for all capabilities ("docker run --privileged") is started with all but this one, where runc
# alone would refuse ("unable to apply caps: operation not permitted").
bundle=. process='' previous=''
for argument in "$@"; do
  case $previous in
    --bundle | -b) bundle=$argument ;;
    --process | -p) process=$argument ;;
  esac
  case $argument in
    --bundle=*) bundle=${argument#*=} ;;
    --process=*) process=${argument#*=} ;;
  esac
  previous=$argument
done
for file in "$bundle/config.json" "$process"; do
  if [ -f "$file" ] && grep -q '"CAP_SYS_RESOURCE"' "$file"; then
    sed -i 's/"CAP_SYS_RESOURCE",//g; s/,"CAP_SYS_RESOURCE"//g; s/"CAP_SYS_RESOURCE"//g' "$file"
  fi
done
exec /usr/sbin/runc "$@"
